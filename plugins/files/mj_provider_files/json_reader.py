"""JSON Lines and JSON arrays: whole numbers exact, others as Decimal."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal
from itertools import chain, islice
from json import JSONDecodeError, JSONDecoder
from operator import itemgetter
from typing import Any, TypeAlias, TypedDict

import msgspec

from mj_provider_files import FileObject
from mj_provider_files.catalog import DataFile
from mj_provider_files.chunk import Chunk, Fault, Place, Unit
from mj_provider_files.json_text import JSONText
from mj_provider_files.lines import Lines, is_clean, shown
from mj_provider_files.stream import open_stream
from mjcore.errors import NotSupported
from mjcore.records import ABSENT, Value

Row: TypeAlias = "Mapping[str, Value] | Fault | None"
"""None: a blank line."""


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no JSON number")


DECODER = JSONDecoder(parse_float=Decimal, parse_constant=_refuse)


def row_type(names: Sequence[str] | None) -> Any:
    """Return what msgspec makes of an object: of members that are not in `names` it skips what it can.

    It reads what `DECODER` reads, and refuses some of it.
    """
    kind: Any = dict[str, Any]
    if names is not None and all(map(str.isascii, names)):  # msgspec finds no other names in a TypedDict
        row = TypedDict("Row", dict.fromkeys(names, Any), total=False)  # type: ignore[misc] # a request names them
        kind = row
    return kind


class JSONLinesReader:
    """Reads the members in `names`, all when it is None."""

    unit: Unit = "line"

    def __init__(self, file: DataFile, settings: FileObject, names: Sequence[str] | None, place: Place) -> None:
        self.lines = Lines(file.path, settings.encoding, place)
        self.texts = iter(self.lines)
        self.names = names
        self.decoder = msgspec.json.Decoder(row_type(names), float_hook=Decimal)

    @property
    def place(self) -> Place:
        return self.lines.place

    def read(self, count: int) -> Chunk:
        first = self.place.number + 1
        texts = list(islice(self.texts, count))
        self.lines.advance(len(texts))
        try:
            rows = self.decoder.decode_lines("".join(texts))
        except (msgspec.MsgspecError, UnicodeError, RecursionError):
            rows = []  # some line is faulty, or has half a character: each needs a look of its own
        if len(rows) == len(texts):
            return chunk(rows, self.names, first)
        return chunk((_parsed(text, number) for number, text in enumerate(texts, first)), self.names, first)

    def close(self) -> None:
        self.lines.close()


def _parsed(line: str, number: int) -> Row:
    if line.isspace():
        return None
    if not is_clean(line):
        return Fault(number, "bad_encoding", "bytes that are not of the file's encoding; set Encoding to it", shown(line))
    try:
        value = DECODER.decode(line)
    except (ValueError, RecursionError) as error:
        return Fault(number, "malformed_row", _reason(error), shown(line))
    return _object(value, number, lambda _: line)


def _object(value: Value, number: int, text: Callable[[Value], str]) -> Row:
    return value if isinstance(value, dict) else Fault(number, "malformed_row", "not a JSON object", shown(text(value)))


class JSONArrayReader:
    """Reads an array of objects, or objects one after another, as a stream: the file is never in memory as a whole."""

    unit: Unit = "row"

    def __init__(self, file: DataFile, settings: FileObject, names: Sequence[str] | None, place: Place) -> None:
        self.name, self.names, self.number = file.name, names, place.number
        self.decoder = msgspec.json.Decoder(list[row_type(names)], float_hook=Decimal)  # type: ignore[misc] # it is a value
        self.text = JSONText(*open_stream(file.path, settings.encoding), DECODER)
        try:
            self.is_array = self.text.peek() == "["
        except BaseException:
            self.close()
            raise
        if place.at:
            self.close()
            self.text = JSONText(*open_stream(file.path, settings.encoding, place.at), DECODER, place.at)

    @property
    def place(self) -> Place:
        return Place(self.text.at, self.number)

    def read(self, count: int) -> Chunk:
        first, values = self.number + 1, list[Row]()
        try:
            while len(values) < count and self._has_next():
                found = self.text.objects(self.decoder, count - len(values)) if self.is_array else []
                values.extend(found)
                self.number += len(found)
                if not found:
                    value = self.text.value()
                    self.number += 1
                    values.append(_object(value, self.number, str))
        except UnicodeError:
            raise
        except (ValueError, RecursionError) as error:  # nothing behind it can be trusted
            raise NotSupported(f"{self.name}: row {self.number + 1} is no JSON ({_reason(error)}); mend the file") from None
        return chunk(values, self.names, first)

    def close(self) -> None:
        self.text.close()

    def _has_next(self) -> bool:
        """Move to the next value; `ValueError` where the array does not go on, or end, as it should."""
        text, sign = self.text, self.text.peek()
        if not self.is_array:
            return bool(sign)
        if sign == ("," if self.number else "["):
            text.skip()
            if self.number or text.peek() != "]":
                return True
            sign = "]"
        if sign != "]":
            raise ValueError("',' or ']' expected" if sign else "the file ends inside the array")
        text.skip()
        if text.peek():
            raise ValueError("text behind the end of the array")
        return False


def chunk(rows: Iterable[Row], names: Sequence[str] | None, first: int) -> Chunk:
    """Return rows by column; `first` is the number of the first row."""
    rows = list(rows)
    good = [row for row in rows if isinstance(row, dict)]
    wanted = list(dict.fromkeys(chain.from_iterable(good))) if names is None else names
    try:
        columns = {name: list(map(itemgetter(name), good)) for name in wanted}
        has_gaps = False
    except KeyError:
        columns = {name: [row.get(name, ABSENT) for row in good] for name in wanted}
        has_gaps = True
    faults = [row for row in rows if isinstance(row, Fault)]
    return Chunk(columns, lambda: [n for n, row in enumerate(rows, first) if isinstance(row, dict)], faults, len(rows), has_gaps)


def _reason(error: Exception) -> str:
    return f"{error.msg} at column {error.colno}" if isinstance(error, JSONDecodeError) else str(error)
