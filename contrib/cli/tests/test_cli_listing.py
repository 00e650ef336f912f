"""Long lists: printed while they are read, within the terminal, nothing lost."""

import io
import json
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mj_cli.listing import AHEAD, Row, first, print_json_list, print_rows
from rich.cells import cell_len
from rich.console import Console

CELLS = st.text("ab1-é漢", min_size=1, max_size=12)
ROWS = st.lists(st.tuples(st.tuples(CELLS, CELLS), st.text("abcé漢 ", max_size=150)), min_size=1, max_size=20)


def console(width: int = 80) -> tuple[Console, io.StringIO]:
    file = io.StringIO()
    return Console(file=file, width=width, highlight=False, markup=False), file


@given(ROWS, st.sampled_from([40, 80, 200]))
def test_lines_fit_and_lose_nothing(rows: list[Row], width: int) -> None:
    drawn, file = console(width)
    assert print_rows(drawn, ["One", "Number", "Text"], rows, numbers=["Number"]) == len(rows)
    lines = file.getvalue().splitlines()
    assert max(map(cell_len, lines)) <= width
    said = "".join("".join(lines[1:]).split())
    assert said == "".join("".join((*cells, text)) for cells, text in rows).replace(" ", "")


def test_rows_are_printed_while_they_are_read() -> None:
    drawn, file = console()
    ahead: list[int] = []

    def rows() -> Iterator[Row]:
        for number in range(5 * AHEAD):
            ahead.append(number - max(0, file.getvalue().count("\n") - 1) // 2)
            yield [str(number)], "why it failed"

    assert print_rows(drawn, ["Number", "Text"], rows(), room=100) == 5 * AHEAD
    assert max(ahead) <= AHEAD


def test_a_json_list_is_one_value_written_item_by_item(capsys: pytest.CaptureFixture[str]) -> None:
    print_json_list({"Number": n} for n in range(3))
    printed = capsys.readouterr().out
    assert json.loads(printed) == [{"Number": 0}, {"Number": 1}, {"Number": 2}]
    assert len(printed.splitlines()) == 5
    print_json_list([])
    assert capsys.readouterr().out == "[]\n"


def test_the_rest_is_counted_after_the_first() -> None:
    few, rest = first(range(10), 4)
    assert (list(few), sum(1 for _ in rest)) == ([0, 1, 2, 3], 6)
    every, none = first(range(3), None)
    assert (list(every), list(none)) == ([0, 1, 2], [])
