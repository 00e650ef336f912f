"""The syntax tree of a JavaScript pattern."""

from collections.abc import Iterator
from math import inf, prod
from typing import TypeAlias

from attrs import field, frozen


@frozen
class Leaf:
    """What needs no more translation: one character of a set (width 1), or an assertion such as `$` (width 0)."""

    text: str
    width: int


@frozen
class Sequence:
    """Nodes one after the other."""

    items: tuple["Node", ...]


@frozen
class Choice:
    """`a|b`"""

    options: tuple["Node", ...]


@frozen
class Group:
    """`(a)`, the n-th that captures."""

    number: int
    body: "Node"


@frozen
class Look:
    """`(?=a)`, `(?!a)`, `(?<=a)`, `(?<!a)`"""

    behind: bool
    negative: bool
    body: "Node"


@frozen
class BackReference:
    """`\\1` or `\\k<name>`"""

    number: int
    ignore_case: bool


@frozen
class Repeat:
    """`a*`, `a+?`, `a{2,3}`; most = None: no limit."""

    body: "Node"
    least: int
    most: int | None
    lazy: bool


QUICK_STEPS = 30_000_000
"""Of a search: they take a few hundredths of a second."""
QUICK_LENGTHS = (65_536, 1000, 100, 30, 10)
Node: TypeAlias = Leaf | Sequence | Choice | Group | Look | BackReference | Repeat


@frozen
class Pattern:
    """A parsed pattern."""

    root: Node
    groups: int
    names: dict[str, int] = field(factory=dict)


def min_width(node: Node) -> int:
    """Return how many characters the node consumes at least."""
    match node:
        case Leaf():
            return node.width
        case Sequence():
            return sum(map(min_width, node.items))
        case Choice():
            return min(map(min_width, node.options))
        case Group():
            return min_width(node.body)
        case Repeat():
            return node.least * min_width(node.body)
    return 0


def quick_length(root: Node) -> int:
    """Return how long a text may be for a search to end at once, whatever stands in it; 0 where that cannot be told.

    From each place in the text a search goes every way at most, and looks at the whole pattern on it.
    """
    size = weight(root)
    return next((length for length in QUICK_LENGTHS if length * size * ways(root, length) <= QUICK_STEPS), 0)


def ways(node: Node, length: int) -> float:
    """Return how many ways there are at most to match the node at one place in a text: infinity where they may explode."""
    match node:
        case Sequence():
            return prod(ways(item, length) for item in node.items)
        case Choice():
            return sum(ways(option, length) for option in node.options)
        case Group():
            return ways(node.body, length)
        case Repeat(body=Leaf()):
            return max(1, min(length, length if node.most is None else node.most) - node.least + 1)
        case Leaf():
            return 1
    return inf


def weight(node: Node) -> int:
    """Return how large the node is when its counts are written out, as the `regex` library does."""
    match node:
        case Sequence():
            return 1 + sum(map(weight, node.items))
        case Choice():
            return 1 + sum(map(weight, node.options))
        case Group() | Look():
            return 1 + weight(node.body)
        case Repeat():
            return 1 + max(node.least, 1) * weight(node.body)
    return 1


def walk(node: Node) -> Iterator[Node]:
    """Yield the node and all below it."""
    yield node
    match node:
        case Sequence():
            children = node.items
        case Choice():
            children = node.options
        case Group() | Look() | Repeat():
            children = (node.body,)
        case _:
            children = ()
    for child in children:
        yield from walk(child)


def groups_in(node: Node) -> set[int]:
    """Return the numbers of all groups in a node."""
    return {found.number for found in walk(node) if isinstance(found, Group)}


def references_in(node: Node) -> set[int]:
    """Return the numbers of the groups that a node refers back to."""
    return {found.number for found in walk(node) if isinstance(found, BackReference)}


def groups_always_in(node: Node) -> set[int]:
    """Return the numbers of the groups that take part in every match of a node."""
    match node:
        case Group():
            return {node.number} | groups_always_in(node.body)
        case Sequence():
            return set().union(*map(groups_always_in, node.items))
        case Choice():
            return set.intersection(*map(groups_always_in, node.options))
        case Look(negative=False):
            return groups_always_in(node.body)
        case Repeat() if node.least > 0:
            return groups_always_in(node.body)
    return set()
