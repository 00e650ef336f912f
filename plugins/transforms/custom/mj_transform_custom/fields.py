"""Which fields of the record an expression reads."""

import re

NAMED = re.compile(
    r"""(?<![\w$.])record(?:\s*\??\.\s*([A-Za-z_$][\w$]*)|\s*(?:\?\.)?\s*\[\s*(?:'([^'\\\n]*)'|"([^"\\\n]*)")\s*\])"""
)
OF_EVERY_OBJECT = re.compile(r"__\w+__|constructor|hasOwnProperty|isPrototypeOf|propertyIsEnumerable|to(Locale)?String|valueOf")
OTHER_WAYS = re.compile(r"arguments|\\u")


def fields_read(expression: str) -> tuple[tuple[str, ...], bool]:
    """Return the fields that are written out, as `record.Name` or `record["Name"]`, and whether others may be read too."""
    found = [name[1] or name[2] or name[3] or "" for name in NAMED.finditer(expression)]
    names = tuple(dict.fromkeys(name for name in found if not OF_EVERY_OBJECT.fullmatch(name)))
    mentions = len(found) if len(names) == len(set(found)) else -1
    return names, expression.count("record") != mentions or bool(OTHER_WAYS.search(expression))
