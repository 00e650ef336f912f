"""JSON Lines, and JSON arrays read as a stream: whole numbers exact, others as Decimal."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import Decimal
from itertools import chain, islice
from json import JSONDecodeError, JSONDecoder
from typing import TextIO, TypeAlias

from mj_provider_files import FileObject
from mj_provider_files.catalog import DataFile
from mj_provider_files.chunk import Chunk, Fault
from mj_provider_files.json_stream import elements
from mj_provider_files.text import is_clean, open_text, shown
from mjcore.errors import NotSupported
from mjcore.records import ABSENT, Value

Row: TypeAlias = "Mapping[str, Value] | Fault | None"
"""None: a blank line."""


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no JSON number")


DECODER = JSONDecoder(parse_float=Decimal, parse_constant=_refuse)


class JSONReader:
    """Reads the members in `names`, all when it is None."""

    def __init__(self, file: DataFile, settings: FileObject, names: Sequence[str] | None, row: int) -> None:
        is_lines = file.format == "jsonl"
        self.stream = open_text(file.path, settings.encoding, "surrogateescape" if is_lines else "strict")
        self.rows = lines(self.stream) if is_lines else objects(self.stream, file.name)
        self.names = names
        self.row = 0
        try:
            self.row = sum(1 for _ in islice(self.rows, row))
        except BaseException:
            self.close()
            raise

    def read(self, count: int) -> Chunk:
        rows = list(islice(self.rows, count))
        numbered = [(number, row) for number, row in enumerate(rows, self.row + 1) if isinstance(row, dict)]
        self.row += len(rows)
        good = [row for _, row in numbered]
        names = list(dict.fromkeys(chain.from_iterable(good))) if self.names is None else self.names
        columns = {name: [row.get(name, ABSENT) for row in good] for name in names}
        return Chunk(columns, [n for n, _ in numbered], [row for row in rows if isinstance(row, Fault)], len(rows))

    def close(self) -> None:
        self.stream.close()


def lines(stream: TextIO) -> Iterator[Row]:
    """Yield one row per line; a line that is no JSON object is a fault of its own."""
    decode: Callable[[str], object] = DECODER.decode
    for number, line in enumerate(stream, 1):
        if line.isspace():
            yield None
            continue
        if not is_clean(line):
            yield _fault(f"line {number}", "bad_encoding", "bytes that are not of the file's encoding", line)
            continue
        try:
            value = decode(line)
        except JSONDecodeError as error:
            yield _fault(f"line {number}", "malformed_row", f"{error.msg} at column {error.colno}", line)
        except (ValueError, RecursionError) as error:
            yield _fault(f"line {number}", "malformed_row", str(error), line)
        else:
            yield value if isinstance(value, dict) else _fault(f"line {number}", "malformed_row", "not a JSON object", line)


def objects(stream: TextIO, name: str) -> Iterator[Row]:
    """Yield the objects of an array; `NotSupported` where the file is no JSON, since nothing behind can be trusted."""
    number = 0
    try:
        for number, value in enumerate(elements(stream, DECODER), 1):
            yield value if isinstance(value, dict) else Fault(f"row {number}", "malformed_row", "not a JSON object", str(value))
    except UnicodeError:
        raise
    except (ValueError, RecursionError) as error:
        message = error.msg if isinstance(error, JSONDecodeError) else str(error)
        raise NotSupported(f"{name}: row {number + 1} is no JSON ({message}); correct or complete the file") from None


def _fault(place: str, code: str, message: str, line: str) -> Fault:
    return Fault(place, code, message, shown(line.rstrip("\r\n")))
