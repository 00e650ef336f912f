"""What follows a backslash: escapes of one character, and of sets of characters."""

import re

from mj_transform_regex.charset import DIGIT, LAST, SPACE, WORD, complement
from mj_transform_regex.flags import Flags
from mj_transform_regex.leaves import Members, word
from mj_transform_regex.properties import property_class
from mj_transform_regex.scanner import Scanner

CONTROLS = {"f": 0x0C, "n": 0x0A, "r": 0x0D, "t": 0x09, "v": 0x0B}
SETS = {"d": DIGIT, "s": SPACE, "w": WORD}
SYNTAX = set("^$\\.*+?()[]{}|/")

HEX2 = re.compile(r"[0-9A-Fa-f]{2}")
HEX4 = re.compile(r"[0-9A-Fa-f]{4}")
BRACED = re.compile(r"\{([0-9A-Fa-f]+)\}")
LOW_HALF = re.compile(r"\\u([Dd][C-Fc-f][0-9A-Fa-f]{2})")
OCTAL = re.compile(r"[0-3][0-7]{0,2}|[4-7][0-7]?")
CONTROL_LETTER = re.compile(r"[A-Za-z]")
CONTROL_IN_CLASS = re.compile(r"[A-Za-z0-9_]")


def set_escape(scanner: Scanner, flags: Flags) -> Members | None:
    """Read `\\d \\D \\s \\S \\w \\W \\p{…} \\P{…}`, the backslash being read; None: it is something else."""
    letter = scanner.peek()
    if letter and letter in "pP" and flags.unicode:
        scanner.take()
        return Members(properties=(property_class(scanner, flags, negative=letter == "P"),))
    if not letter or letter.lower() not in SETS:
        return None
    scanner.take()
    ranges = word(flags) if letter in "wW" else SETS[letter.lower()]
    return Members(complement(ranges) if letter.isupper() else ranges)


def character_escape(scanner: Scanner, unicode: bool, named: bool, in_class: bool) -> int:
    """Read an escape of one character, the backslash being read. `named`: the pattern has named groups."""
    start = scanner.at
    letter = scanner.take()
    if not letter:
        raise scanner.fault("backslash at the end", start)
    if letter in CONTROLS:
        return CONTROLS[letter]
    if in_class and letter == "b":
        return 0x08
    if letter in "cxu":
        code = _lettered(scanner, letter, unicode, in_class)
        if code is not None:
            return code
    elif letter in "0123456789":
        return _numbered(scanner, letter, unicode)
    elif letter in SYNTAX or (unicode and in_class and letter == "-") or not (unicode or (named and letter == "k")):
        return ord(letter)
    if unicode or letter not in "cxu":
        raise scanner.fault(f"invalid escape \\{letter}", start)
    if letter == "c":  # the backslash stands for itself, then comes c
        scanner.at = start
        return ord("\\")
    return ord(letter)


def _lettered(scanner: Scanner, letter: str, unicode: bool, in_class: bool) -> int | None:
    if letter == "c":
        control = scanner.match(CONTROL_IN_CLASS if in_class and not unicode else CONTROL_LETTER)
        return ord(control[0]) % 32 if control else None
    if letter == "x":
        digits = scanner.match(HEX2)
        return int(digits[0], 16) if digits else None
    if unicode and (braced := scanner.match(BRACED)):
        code = int(braced[1], 16)
        if code > LAST:
            raise scanner.fault(f"no such character \\u{braced[0]}", braced.start())
        return code
    digits = scanner.match(HEX4)
    if not digits:
        return None
    code = int(digits[0], 16)
    if unicode and 0xD800 <= code < 0xDC00 and (low := scanner.match(LOW_HALF)):
        return 0x10000 + ((code - 0xD800) << 10) + int(low[1], 16) - 0xDC00
    return code


def _numbered(scanner: Scanner, letter: str, unicode: bool) -> int:
    start = scanner.at - 1
    if unicode:
        if letter == "0" and not scanner.peek().isdecimal():
            return 0
        raise scanner.fault(f"invalid escape \\{letter}", start)
    scanner.at = start
    octal = scanner.match(OCTAL)
    return int(octal[0], 8) if octal else ord(scanner.take())
