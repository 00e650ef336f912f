"""What an attributor has to keep."""

from collections.abc import Sequence
from copy import deepcopy
from functools import cached_property
from typing import ClassVar

import pytest
from hypothesis import strategies as st

from mj_testing.kernels import Kernels
from mj_testing.proof import broken, raised
from mj_testing.rules import rule
from mj_testing.strategies import row_changes
from mj_testing.suites.plugin import PluginSuite
from mjcore.capabilities import Attribution, Attributor, AttributorType
from mjcore.records import RowChange
from mjcore.store import Store


class AttributorSuite(PluginSuite):
    """Subclass it with the plugin. The store that it opens on is in memory; `prepare` may write to it first."""

    attributor: ClassVar[str | None] = None
    """The attributor's name, where the plugin has several."""
    kernels: Kernels

    @pytest.fixture(autouse=True)
    def _kernels(self, kernel: Kernels) -> None:
        self.kernels = kernel

    @cached_property
    def store(self) -> Store:
        """The store of this test, prepared."""
        store = self.kernels().store
        self.prepare(store)
        return store

    def prepare(self, store: Store) -> None:
        """Write what the attributor finds its evidence in."""

    def changes(self) -> st.SearchStrategy[RowChange]:
        """Return changes; add such as there is evidence for: `super().changes() | st.just(…)`."""
        return row_changes()

    @property
    def type(self) -> AttributorType:
        """The declaration under test."""
        declared: dict[str, AttributorType] = {kind.name: kind for kind in self.plugin.mj_attributor_types()}
        return declared[self.attributor] if self.attributor else next(iter(declared.values()))

    def opened(self) -> Attributor:
        return self.type.open(self.store)

    def batches(self) -> st.SearchStrategy[list[RowChange]]:
        return st.lists(self.changes(), max_size=6)

    @rule(
        "there is one answer per change, in order; None where there is no evidence",
        remedy="return a sequence as long as the changes",
    )
    def test_every_change_has_an_answer(self) -> None:
        self.proof.holds(self.batches(), self._answers_each, most=self.examples)

    def _answers_each(self, changes: list[RowChange]) -> None:
        before = deepcopy(changes)
        try:
            found = self.opened().attribute(changes)
        except Exception as error:  # noqa: BLE001 - whatever it is, it breaks the rule
            broken(cause=error, example=changes, seen=f"raised {raised(error)}")
        if len(found) != len(changes) or changes != before:
            broken(example=before, seen=f"{len(found)} answers to {len(changes)} changes")

    @rule(
        "an answer names who it was and why we think so, and is sure from 0 to 1",
        remedy="give origin and evidence as texts, and None rather than an answer that nothing speaks for",
    )
    def test_answers_have_evidence(self) -> None:
        self.proof.holds(self.batches(), self._has_evidence, most=self.examples)

    def _has_evidence(self, changes: list[RowChange]) -> None:
        for change, answer in zip(changes, self._found(changes), strict=False):
            if answer and not (answer.origin.strip() and answer.evidence.strip() and 0 <= answer.confidence <= 1):
                broken(example=change, seen=answer)

    def _found(self, changes: Sequence[RowChange]) -> Sequence[Attribution | None]:
        return list(self.opened().attribute(changes))

    @rule(
        "a change has the same answer alone, in a batch, and again",
        remedy="answer from the change and the store alone, and keep nothing between calls",
    )
    def test_answers_do_not_depend_on_the_batch(self) -> None:
        self.proof.holds(self.batches(), self._is_one_by_one, most=self.examples)

    def _is_one_by_one(self, changes: list[RowChange]) -> None:
        together = self._found(changes)
        for change, answer in zip(changes, together, strict=False):
            if (alone := self._found([change])) != [answer]:
                broken(example=changes, change=change, seen=f"alone {alone}, in the batch {answer}")
