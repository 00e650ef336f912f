"""Replacement texts: `$1 $10 $<name> $& $$ $` $'`."""

import re
from typing import TYPE_CHECKING

from attrs import frozen

from mj_transform_regex.nodes import Pattern

if TYPE_CHECKING:
    import regex

PIECE = re.compile(r"\$(?:([$&`'])|([0-9]{1,2})|<([^>]*)>)", re.DOTALL)


@frozen
class Piece:
    """A literal, then what `sign` stands for: a group's name (`g3`), `&`, a backtick, `'`, or nothing."""

    literal: str
    sign: str


def parse_template(text: str, pattern: Pattern) -> tuple[Piece, ...]:
    """Return a replacement text in pieces. What is no reference stands for itself."""
    pieces, literal, at = [], "", 0
    while found := PIECE.search(text, at):
        literal += text[at : found.start()]
        sign, digits, name = found.groups()
        at = found.end()
        if digits:
            number = int(digits)
            if number > pattern.groups and len(digits) == 2:
                number, at = int(digits[0]), at - 1
            sign = f"g{number}" if 1 <= number <= pattern.groups else None
        elif name is not None and pattern.names:
            sign = f"g{pattern.names[name]}" if name in pattern.names else ""
        if sign is None or sign == "$":
            literal += "$" if sign else text[found.start() : (at := found.start() + 1)]
        else:
            pieces.append(Piece(literal, sign))
            literal = ""
    return (*pieces, Piece(literal + text[at:], ""))


def expand(pieces: tuple[Piece, ...], match: "regex.Match[str]") -> list[str]:
    """Return what replaces a match, in parts."""
    parts = []
    for piece in pieces:
        parts.append(piece.literal)
        match piece.sign:
            case "":
                pass
            case "&":
                parts.append(match.group())
            case "`":
                parts.append(match.string[: match.start()])
            case "'":
                parts.append(match.string[match.end() :])
            case group:
                parts.append(match.group(group) or "")
    return parts
