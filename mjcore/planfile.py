"""The file of a plan: JSON Lines, one per change, link, conflict and failed record, between a header and a footer.

It holds personal data, so only its owner can read it. A file without its footer, or one that was edited, is refused.
"""

import json
import os
from collections.abc import Generator, Mapping
from contextlib import closing
from hashlib import blake2b
from pathlib import Path
from typing import IO, Any

from attrs import asdict, define, field, fields, frozen

from mjcore.compare import from_json, to_json
from mjcore.errors import ConfigError
from mjcore.records import JSON, BatchWrite, Conflict, Counts, Link, Position, RecordError, RowChange, Value, Watermark
from mjcore.standins import Planned

FORMAT = 1
LISTS: Mapping[str, type[Any]] = {"changes": RowChange, "links": Link, "failed": RecordError, "conflicts": Conflict}
"""What of a batch has lines of its own; the rest is in the line that begins the batch."""
TUPLES = {"key", "unique_on"}


def _dump(value: Value) -> JSON:
    if isinstance(value, Planned):
        return {"$planned": [value.entity_map_id, value.external_id]}
    told = to_json(value)
    return {"$escaped": told} if isinstance(told, Mapping) and told.keys() == {"$planned"} else told


def _load(value: JSON) -> Value:
    if isinstance(value, Mapping) and value.keys() == {"$planned"}:
        return Planned(*value["$planned"])  # type: ignore[misc]  # as `_dump` wrote it
    return from_json(value)


def position_to_json(position: Position) -> dict[str, JSON]:
    return asdict(position)


def position_of(told: Mapping[str, Any]) -> Position:
    marks = {name: Watermark(**told[name]) for name in ("watermark", "since", "until") if told[name]}
    return Position(**{**told, **marks})


# --- Lines -----------------------------------------------------------------------------------------------


def _line(item: object) -> dict[str, JSON]:
    return {a.name: _dump_part(getattr(item, a.name)) for a in fields(type(item)) if a.eq}  # type: ignore[arg-type]


def _dump_part(part: Value) -> JSON:
    if isinstance(part, tuple):
        return [_dump(value) for value in part]
    return {name: _dump(value) for name, value in part.items()} if isinstance(part, Mapping) else _dump(part)


def _item(kind: type[Any], line: Mapping[str, Any]) -> Any:
    return kind(**{name: _load_part(name, part) for name, part in line.items()})


def _load_part(name: str, part: Any) -> Value:
    if name in TUPLES:
        return tuple(_load(value) for value in part)
    if isinstance(part, Mapping) and name not in ("content_hash", "source_modified_at"):
        return {k: _load(v) for k, v in part.items()}
    return _load(part)


def _load_id(told: Any) -> Value:
    """Turn back an external id, or a row key."""
    return tuple(_load(part) for part in told) if isinstance(told, list) else told


def _batch(entity_map_id: str, write: BatchWrite) -> dict[str, JSON]:
    rest = {a.name: getattr(write, a.name) for a in fields(BatchWrite) if a.name not in LISTS}
    rest |= {"counts": asdict(write.counts), "position": position_to_json(write.position)}
    sizes = {name: len(getattr(write, name)) for name in LISTS}
    told = {k: [_dump_part(item) for item in v] if isinstance(v, tuple | list) else v for k, v in rest.items()}
    told["staged_deletes"] = _dump_part(write.staged_deletes)
    return {"map": entity_map_id, **told, "sizes": sizes}


def _write_of(told: dict[str, Any], items: dict[str, Any]) -> BatchWrite:
    rest: dict[str, Any] = {k: [_load_id(item) for item in v] if isinstance(v, list) else v for k, v in told.items()}
    rest |= {"counts": Counts(**told["counts"]), "position": position_of(told["position"])}
    rest["staged_deletes"] = _load_part("staged_deletes", told["staged_deletes"])
    return BatchWrite(**rest, **items)


@define
class PlanWriter:
    """Writes a plan as it is made."""

    file: IO[bytes]
    lines: int = 0
    _digest: Any = field(factory=lambda: blake2b(digest_size=16))

    @classmethod
    def open(cls, path: Path) -> "PlanWriter":
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        os.fchmod(descriptor, 0o600)  # of a file that was there before, too
        return cls(os.fdopen(descriptor, "wb"))

    def header(self, told: Mapping[str, JSON]) -> None:
        self._put({"mjcore_plan": FORMAT, **told})

    def write(self, entity_map_id: str, write: BatchWrite) -> None:
        self._put({"batch": _batch(entity_map_id, write)})
        for name in LISTS:
            for item in getattr(write, name):
                self._put({name: _line(item)})

    def footer(self, told: Mapping[str, JSON]) -> None:
        self._put({"end": {**told, "lines": self.lines, "digest": self._digest.hexdigest()}})

    def _put(self, told: Mapping[str, JSON]) -> None:
        line = json.dumps(told).encode() + b"\n"
        self._digest.update(line)
        self.file.write(line)
        self.lines += 1

    def close(self) -> None:
        self.file.close()


@frozen
class PlanReader:
    """Reads a plan that is whole."""

    path: Path
    header: Mapping[str, Any]
    end: Mapping[str, Any]

    @classmethod
    def open(cls, path: Path) -> "PlanReader":
        """Check the file. `ConfigError`: it is none, broken off, edited, or of a newer version."""
        try:
            first, last, lines, digest = _checked(path)
            header, end = json.loads(first), json.loads(last)
        except OSError as error:
            raise ConfigError(f"plan {path}: {error.strerror}") from error
        except ValueError:
            raise ConfigError(f"plan {path}: broken off or not a plan; make it anew with `mj plan -o FILE`") from None
        if not isinstance(header, dict) or header.get("mjcore_plan") != FORMAT:
            raise ConfigError(f"plan {path}: not a plan of this version; make it anew with `mj plan -o FILE`")
        end = end.get("end") if isinstance(end, dict) else None
        if not isinstance(end, dict) or (end.get("lines"), end.get("digest")) != (lines, digest):
            raise ConfigError(f"plan {path}: broken off or edited; make it anew with `mj plan -o FILE`")
        return cls(path, header, end)

    def writes(self) -> Generator[tuple[str, BatchWrite]]:
        """Stream the batches, each with the id of its entity map."""
        with closing(self.path.open("rb")) as file:
            next(file)
            for line in file:
                told = json.loads(line).get("batch")
                if told is None:
                    return
                sizes, entity_map_id = told.pop("sizes"), told.pop("map")
                items: dict[str, Any] = {
                    name: [_item(kind, json.loads(next(file))[name]) for _ in range(sizes[name])] for name, kind in LISTS.items()
                }
                yield entity_map_id, _write_of(told, items)


def _checked(path: Path) -> tuple[bytes, bytes, int, str]:
    """Return the first and the last line, and how many lines of what content are before the last one."""
    digest, first, last, lines = blake2b(digest_size=16), b"", b"", 0
    with closing(path.open("rb")) as file:
        for line in file:
            if lines:
                digest.update(last)
            first, last, lines = first or line, line, lines + 1
    return first, last, lines - 1, digest.hexdigest()
