"""Parses a JavaScript pattern: ECMAScript 2025 with the legacy syntax of web browsers (Annex B)."""

import re

from attrs import define, field

from mj_transform_regex.charset import LINE_END, class_text
from mj_transform_regex.escapes import character_escape, set_escape
from mj_transform_regex.flags import Flags
from mj_transform_regex.leaves import Members, line_assertion, one, one_of, word_boundary
from mj_transform_regex.nodes import BackReference, Choice, Group, Leaf, Look, Node, Pattern, Repeat, Sequence
from mj_transform_regex.scanner import Scanner

OPENING = re.compile(r"\\.|\[(?:\\.|[^\]\\])*\]|\((?!\?)|\(\?<(?![=!])([^>]*)>", re.DOTALL)
NAME = re.compile(r"<((?:[^\W\d]|\$)[\w$\u200c\u200d]*)>")
MODIFIERS = re.compile(r"\?([ims]*)(?:-([ims]*))?:")
QUANTIFIER = re.compile(r"(?:[*+?]|\{([0-9]+)(,([0-9]*))?\})(\?)?")
REFERENCE = re.compile(r"[1-9][0-9]*")
LOOKS = {"?=": (False, False), "?!": (False, True), "?<=": (True, False), "?<!": (True, True)}
MAX_DEPTH = 50
MAX_COUNT = 2**31 - 1


def parse(text: str, flags: Flags) -> Pattern:
    """Return the tree of a pattern. Raises `ConfigError` with the position of the fault."""
    parser = Parser(Scanner(text), flags.unicode)
    root = parser.choice(flags)
    if parser.scanner.peek():
        raise parser.scanner.fault("unmatched )")
    return Pattern(root, parser.count, parser.names)


@define
class Parser:
    """Recursive descent; `flags` go down with it, as `(?i:…)` changes them for a part."""

    scanner: Scanner
    unicode: bool
    total: int = field(init=False)
    """Groups in the whole pattern: they decide what `\\2` is."""
    names: dict[str, int] = field(init=False, factory=dict)
    count: int = field(init=False, default=0)
    """Groups so far."""
    depth: int = field(init=False, default=0)

    def __attrs_post_init__(self) -> None:
        openings = [m for m in OPENING.finditer(self.scanner.text) if m[0].startswith("(")]
        self.total = len(openings)
        for number, opening in enumerate(openings, 1):
            if opening[1] is not None and self.names.setdefault(opening[1], number) != number:
                raise self.scanner.fault(f"a second group named {opening[1]!r}", opening.start())

    # --- Structure -------------------------------------------------------------------------------

    def choice(self, flags: Flags) -> Node:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise self.scanner.fault(f"more than {MAX_DEPTH} groups inside each other")
        options = [self.sequence(flags)]
        while self.scanner.skip("|"):
            options.append(self.sequence(flags))
        self.depth -= 1
        return options[0] if len(options) == 1 else Choice(tuple(options))

    def sequence(self, flags: Flags) -> Node:
        items = []
        while self.scanner.peek() not in {"", "|", ")"}:
            items.append(self.quantified(self.term(flags)))
        return Sequence(tuple(items))

    def quantified(self, node: Node) -> Node:
        start = self.scanner.at
        found = self.scanner.match(QUANTIFIER)
        if not found:
            return node
        if (isinstance(node, Leaf) and not node.width) or (isinstance(node, Look) and (node.behind or self.unicode)):
            raise self.scanner.fault("nothing to repeat", start)
        if found[1] is None:
            least, most = {"*": (0, None), "+": (1, None), "?": (0, 1)}[found[0][0]]
        else:
            least = min(int(found[1]), MAX_COUNT)
            most = least if found[2] is None else min(int(found[3]), MAX_COUNT) if found[3] else None
        if most is not None and most < least:
            raise self.scanner.fault("numbers out of order in {}", start)
        return Repeat(node, least, most, lazy=bool(found[4]))

    # --- Terms -----------------------------------------------------------------------------------

    def term(self, flags: Flags) -> Node:
        start = self.scanner.at
        if self.scanner.match(QUANTIFIER):
            raise self.scanner.fault("nothing to repeat", start)
        match char := self.scanner.take():
            case "^" | "$":
                return line_assertion(char, flags)
            case ".":
                return Leaf("." if flags.dot_all else class_text(LINE_END, negative=True), 1)
            case "(":
                return self.group(flags, start)
            case "[":
                return self.char_class(flags, start)
            case "\\":
                return self.escape(flags)
            case "{" | "}" | "]" if self.unicode:
                raise self.scanner.fault(f"{char} must be written \\{char} with the flag u", start)
        return one_of([one(ord(char))], flags)

    def group(self, flags: Flags, start: int) -> Node:
        look = next((LOOKS[sign] for sign in LOOKS if self.scanner.skip(sign)), None)
        number = None
        if look is None:
            if modifiers := self.scanner.match(MODIFIERS):
                flags = self.modified(flags, modifiers)
            elif not self.scanner.skip("?") or self.scanner.match(NAME):
                self.count += 1
                number = self.count
            else:
                raise self.scanner.fault("invalid group", start)
        body = self.choice(flags)
        if not self.scanner.skip(")"):
            raise self.scanner.fault("missing ) of the group", start)
        if look is not None:
            return Look(*look, body)
        return Sequence((body,)) if number is None else Group(number, body)

    def modified(self, flags: Flags, modifiers: re.Match[str]) -> Flags:
        on, off = modifiers[1], modifiers[2] or ""
        letters = on + off
        if len(set(letters)) < len(letters) or (modifiers[2] == "" and not on):
            raise self.scanner.fault("invalid flags of a group", modifiers.start())
        return flags.switched(on, on=True).switched(off, on=False)

    def escape(self, flags: Flags) -> Node:
        start = self.scanner.at
        letter = self.scanner.peek()
        if letter in {"b", "B"}:
            self.scanner.take()
            return word_boundary(flags, negative=letter == "B")
        if letter == "k" and (self.names or self.unicode):
            self.scanner.take()
            name = self.scanner.match(NAME)
            if not name or name[1] not in self.names:
                raise self.scanner.fault("no group of this name", start)
            return BackReference(self.names[name[1]], flags.ignore_case)
        if number := self.scanner.match(REFERENCE):
            if int(number[0]) <= self.total:
                return BackReference(int(number[0]), flags.ignore_case)
            if self.unicode:
                raise self.scanner.fault(f"no group {number[0]}", start)
            self.scanner.at = start
        return one_of([self.member(flags, in_class=False)], flags)

    def member(self, flags: Flags, in_class: bool) -> Members:
        """Read what follows a backslash."""
        members = set_escape(self.scanner, flags)
        return members or one(character_escape(self.scanner, self.unicode, bool(self.names), in_class))

    # --- Classes ---------------------------------------------------------------------------------

    def char_class(self, flags: Flags, start: int) -> Node:
        negative = self.scanner.skip("^")
        members: list[Members] = []
        while not self.scanner.skip("]"):
            members += self.class_range(flags, start)
        return one_of(members, flags, negative)

    def class_range(self, flags: Flags, start: int) -> list[Members]:
        at = self.scanner.at
        low = self.class_member(flags, start)
        if not self.scanner.skip("-"):
            return [low]
        if self.scanner.peek() == "]":
            return [low, one(ord("-"))]
        high = self.class_member(flags, start)
        if low.char is None or high.char is None:
            if self.unicode:
                raise self.scanner.fault("a set cannot end a range", at)
            return [low, one(ord("-")), high]
        if high.char < low.char:
            raise self.scanner.fault("range out of order", at)
        return [Members(((low.char, high.char),))]

    def class_member(self, flags: Flags, start: int) -> Members:
        char = self.scanner.take()
        if not char:
            raise self.scanner.fault("missing ] of the class", start)
        return self.member(flags, in_class=True) if char == "\\" else one(ord(char))
