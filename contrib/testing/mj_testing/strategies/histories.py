"""What happens to an account, as moves that a test makes and a model follows."""

from typing import Literal

from attrs import frozen
from hypothesis import strategies as st


@frozen
class Move:
    """One write: to make a record, or to change or delete one of those that are there (counted around)."""

    kind: Literal["create", "change", "delete"]
    number: int
    text: str

    def __repr__(self) -> str:
        return {
            "create": f"create({self.text!r})",
            "change": f"change(record {self.number}, {self.text!r})",
            "delete": f"delete(record {self.number})",
        }[self.kind]


def moves(texts: st.SearchStrategy[str], *, most: int = 6, deletes: bool = True) -> st.SearchStrategy[list[Move]]:
    """Moves in the order in which they are made; creates are as frequent as all others."""
    kinds = ["create", "create", "change", "delete"] if deletes else ["create", "change"]
    move = st.builds(Move, st.sampled_from(kinds), st.integers(0, 9), texts)
    return st.lists(move, max_size=most)


def histories(texts: st.SearchStrategy[str], *, windows: int = 3, deletes: bool = True) -> st.SearchStrategy[list[list[Move]]]:
    """Moves between windows: each list is made before one is read."""
    return st.lists(moves(texts, deletes=deletes), min_size=1, max_size=windows)
