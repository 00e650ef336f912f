"""Writes a tree as a pattern of the `regex` library that does what JavaScript does."""

from attrs import define, field

from mj_transform_regex.nodes import (
    BackReference,
    Choice,
    Group,
    Leaf,
    Look,
    Node,
    Pattern,
    Repeat,
    Sequence,
    groups_always_in,
    groups_in,
    min_width,
    references_in,
    weight,
)
from mjcore.errors import ConfigError, Problem

MAX_LENGTH = 100_000
MAX_WEIGHT = 20_000


def emit(pattern: Pattern) -> tuple[str, frozenset[int]]:
    """Return the text, in which the n-th group is named `g`n, and the groups whose empty match may mean "took no part"."""
    if weight(pattern.root) > MAX_WEIGHT:
        raise ConfigError(Problem("Pattern", f"too large: the counts in {{}} amount to more than {MAX_WEIGHT:,} characters"))
    emitter = Emitter(references_in(pattern.root))
    text = emitter.node(pattern.root, behind=False)
    return text, frozenset(emitter.emptied)


@define
class Emitter:
    """`behind`: inside a lookbehind, which both engines match from right to left."""

    referenced: set[int]
    emptied: set[int] = field(init=False, factory=set)
    opened: set[int] = field(init=False, factory=set)
    """Groups that have not ended: a reference to one is empty."""
    marks: int = field(init=False, default=0)

    def node(self, node: Node, behind: bool) -> str:
        text = self._node(node, behind)
        if len(text) > MAX_LENGTH:
            raise ConfigError(Problem("Pattern", "too complex: write fewer repeated groups inside each other"))
        return text

    def _node(self, node: Node, behind: bool) -> str:
        match node:
            case Leaf():
                return node.text
            case Sequence():
                return "".join(self.node(item, behind) for item in node.items)
            case Choice():
                return f"(?:{'|'.join(self.node(option, behind) for option in node.options)})"
            case Group():
                self.opened.add(node.number)
                body = self.node(node.body, behind)
                self.opened.remove(node.number)
                return f"(?P<g{node.number}>{body})"
            case Look():
                sign = ("<" if node.behind else "") + ("!" if node.negative else "=")
                return f"(?{sign}{self.node(node.body, node.behind)})"
            case BackReference():
                return "" if node.number in self.opened else back_reference(node)
            case Repeat():
                return self.repeat(node, behind)

    def repeat(self, node: Repeat, behind: bool) -> str:
        body = self.forgetful(node, behind) if node.most is None or node.most > 1 else self.node(node.body, behind)
        least, most, lazy = node.least, node.most, "?" if node.lazy else ""
        if min_width(node.body) or least == most == 0:
            return f"(?:{body}){{{least},{'' if most is None else most}}}{lazy}"
        rest = "" if most is None else most - least
        optional = "" if rest == 0 else f"(?:{self.not_empty(body, behind)}){{0,{rest}}}{lazy}"
        required = f"(?:{body})" * least
        return optional + required if behind else required + optional

    def forgetful(self, node: Repeat, behind: bool) -> str:
        """Each turn begins with empty groups, which JavaScript cannot tell from groups that took no part."""
        groups = groups_in(node.body)
        stale = groups - groups_always_in(node.body) | groups & self.referenced
        self.emptied |= stale
        reset = "".join(f"(?P<g{number}>)" for number in sorted(stale))
        body = self.node(node.body, behind)
        return f"{body}{reset}" if behind else f"{reset}{body}"

    def not_empty(self, body: str, behind: bool) -> str:
        """A turn that is not required must consume something: what lies ahead before it may not lie ahead after it."""
        self.marks += 1
        mark = f"m{self.marks}"
        if behind:
            return rf"(?<!\A(?P={mark})){body}(?<=(?P<{mark}>.*))"
        return rf"(?=(?P<{mark}>.*)){body}(?!(?P={mark})\Z)"


def back_reference(node: BackReference) -> str:
    """A group that took no part matches as if it were empty."""
    reference = f"(?P=g{node.number})"
    return f"(?(g{node.number}){f'(?i:{reference})' if node.ignore_case else reference})"
