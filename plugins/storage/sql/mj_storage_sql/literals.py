"""Many values as PostgreSQL reads them from text: as data of COPY, and as one array."""

import re
from collections.abc import Callable, Sequence
from datetime import date, datetime
from typing import Any

from mj_storage_sql.text import dumps_all

NULL = "\\N"
_COPY_SPECIAL = re.compile(r"[\\\t\n\r]")
_COPY_ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})
_ARRAY_SPECIAL = re.compile(r'[\\"]')
_ARRAY_ESCAPES = str.maketrans({"\\": "\\\\", '"': '\\"'})


def copied(columns: Sequence[Sequence[Any]]) -> bytes:
    """Return rows, given by column, in COPY's text format."""
    texts = [_texts(column) for column in columns]
    return "".join([f"{line}\n" for line in map("\t".join, zip(*texts, strict=True))]).encode()


def array(values: Sequence[Any]) -> str:
    """Return an array literal; its type is for the statement to say."""
    texts = [_text(value) for value in values if value is not None]
    if _ARRAY_SPECIAL.search("".join(texts)):
        texts = [text.translate(_ARRAY_ESCAPES) for text in texts]
    return '{"' + '","'.join(texts) + '"}' if texts else "{}"


def _texts(values: Sequence[Any]) -> Sequence[str]:
    types = set(map(type, values))
    if types == {datetime}:
        return [text[1:-1] for text in dumps_all(values)]  # JSON is made far quicker
    some = values if type(None) not in types else [value for value in values if value is not None]
    texts = some if types <= {str, type(None)} else list(map(_text, some))
    if _COPY_SPECIAL.search("".join(texts)):
        texts = [text.translate(_COPY_ESCAPES) for text in texts]
    if some is values:
        return texts
    following = iter(texts)
    return [NULL if value is None else next(following) for value in values]


def _text(value: Any) -> str:
    write = _WRITERS.get(type(value))
    return write(value) if write else value.isoformat() if isinstance(value, date) else str(value)


_WRITERS: dict[type, Callable[[Any], str]] = {
    str: str,
    bool: lambda value: "t" if value else "f",
    int: str,
    bytes: lambda value: "\\x" + value.hex(),
}
