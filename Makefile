# Every target sets up what it needs: a fresh machine has Python 3.11+, make and git.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
DISTRIBUTIONS := $(patsubst %/pyproject.toml,%,$(sort $(wildcard plugins/*/pyproject.toml plugins/*/*/pyproject.toml contrib/*/pyproject.toml)))
PACKAGES := mjcore $(foreach d,$(DISTRIBUTIONS),$(patsubst %/,%,$(dir $(wildcard $(d)/mj_*/__init__.py))))
# all that share a name with another, the conftests, are checked one by one
TESTS := $(patsubst %/,%,$(wildcard tests/*/)) $(wildcard $(addsuffix /tests,$(DISTRIBUTIONS)))

# the tests start hundreds of processes: none may compile again what the one before it has compiled
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help install demo test check bench format build alone clean

help:  ## Show the targets
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

install: $(VENV)/.installed  ## Make the virtual environment with every distribution, editable

$(VENV)/.installed: constraints.txt pyproject.toml $(addsuffix /pyproject.toml,$(DISTRIBUTIONS))
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --constraint constraints.txt uv
	$(BIN)/uv pip install --quiet --compile-bytecode --python $(BIN)/python --constraint constraints.txt \
		--editable . $(addprefix --editable ./,$(DISTRIBUTIONS)) --group dev
	@touch $@

demo: install  ## Pull a simulated HubSpot account into SQLite, step by step
	@$(BIN)/mj demo

test: install  ## Run every test
	$(BIN)/pytest -n 2 --dist loadfile --no-loadscope-reorder -q

check: install  ## Style, types and import rules
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy $(PACKAGES) bench $(wildcard $(addsuffix /test_*.py,$(TESTS))) tests/alone.py
	@for conftest in $(wildcard $(addsuffix /conftest.py,$(TESTS))); do $(BIN)/mypy $$conftest || exit 1; done
	$(BIN)/lint-imports

bench: install $(VENV)-bench/.installed  ## Measure, and compare with other programs (PARTS, ROWS, ROUNDS; DOCUMENT=1 writes the tables of docs)
	@$(VENV)-bench/bin/python -m bench $(if $(PARTS),--parts $(PARTS)) $(if $(ROWS),--rows $(ROWS)) $(if $(ROUNDS),--rounds $(ROUNDS)) \
		$(if $(DOCUMENT),--document)

$(VENV)-bench/.installed: constraints.txt pyproject.toml $(addsuffix /pyproject.toml,$(DISTRIBUTIONS)) | install
	$(PYTHON) -m venv $(VENV)-bench
	$(BIN)/uv pip install --quiet --python $(VENV)-bench/bin/python --constraint constraints.txt \
		--editable . $(addprefix --editable ./,$(DISTRIBUTIONS)) --group bench
	@touch $@

format: install  ## Format the code and apply safe fixes
	$(BIN)/ruff check --fix --quiet . || true
	$(BIN)/ruff format .

build: install  ## Build every wheel into dist/
	rm -rf dist
	$(BIN)/uv build --quiet --wheel --all-packages --out-dir dist

alone: build  ## Install each plugin alone from its wheel, in a fresh environment, and run its tests
	$(BIN)/python tests/alone.py dist $(DISTRIBUTIONS)

clean:  ## Remove what the targets made
	rm -rf $(VENV) $(VENV)-bench dist demo bench/results .mypy_cache .ruff_cache .pytest_cache .hypothesis
