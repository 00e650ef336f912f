"""Rows of an entity in memory, for matchers: they count how often they are asked."""

from collections.abc import Iterator, Mapping, Sequence

from attrs import define

from mjcore.records import Fields, RowKey, Value


@define(repr=False)
class Table:
    """Fields by key. Values are compared as they are."""

    rows: Mapping[RowKey, Fields]
    asked: int = 0
    """Look-ups and scans."""

    def find(self, fields: tuple[str, ...], keys: Sequence[tuple[Value, ...]]) -> Mapping[tuple[Value, ...], Sequence[RowKey]]:
        self.asked += 1
        found: dict[tuple[Value, ...], list[RowKey]] = {key: [] for key in keys}
        for key, row in sorted(self.rows.items()):
            values = tuple(row.get(name) for name in fields)
            if values in found:
                found[values].append(key)
        return {values: found_keys for values, found_keys in found.items() if found_keys}

    def scan(self, fields: tuple[str, ...]) -> Iterator[tuple[RowKey, tuple[Value, ...]]]:
        self.asked += 1
        for key, row in sorted(self.rows.items()):
            yield key, tuple(row.get(name) for name in fields)

    def __repr__(self) -> str:
        return repr(dict(self.rows))
