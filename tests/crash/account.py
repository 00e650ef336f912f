"""A simulated account for the children: every page is computed from seed, phase, object and its number, so it costs nothing.

Phase 1 creates. Phase 2 edits, deletes and creates some more. Phase 3 is read in full, and some records are gone without a word.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any, Literal

from attrs import evolve, frozen

from mjcore.capabilities import ProviderType
from mjcore.hookspecs import hookimpl
from mjcore.records import ExternalRecord, FetchRequest, Page, RecordError, Watermark
from mjcore.schema import ExternalField, ExternalObject, FieldType

PAGE = 1000  # as large as the kernel's batches, so that every page is one batch however quickly it comes
FATE, OWNER, COMPANY, AMOUNT = 10, 11, 12, 20  # what is drawn; edits by their phase
NEW = 20  # every so many there is one more in phase 2
FIELDS: Mapping[str, Mapping[str, FieldType]] = {
    "companies": {"name": "string", "domain": "string", "owner": "string"},
    "contacts": {"email": "email", "name": "string", "amount": "number", "company": "string"},
}


@frozen
class NoSettings:
    pass


@frozen(eq=False)
class Account:
    """`sizes`: records per object in phase 1. `is_plain`: no bad records, no duplicates. `splits`: twins and what only the
    database refuses, which make the kernel write a page in parts.
    """

    phase: int
    sizes: Mapping[str, int]
    seed: int = 1
    is_plain: bool = False
    splits: bool = False
    torn: str = ""
    """How record 0 of each object is not delivered."""
    overlapping: int = 100
    """So many records of a phase are within the overlap of the next window."""

    def test(self) -> Mapping[str, str]:
        return {}

    def objects(self) -> Iterable[ExternalObject]:
        return [ExternalObject(name, name, deletes="signal") for name in FIELDS]

    def fields(self, object_name: str) -> Iterable[ExternalField]:
        return [ExternalField(name, name, kind) for name, kind in FIELDS[object_name].items()]

    def high_watermark(self, object_name: str) -> Watermark:
        last = _began(self.phase) + timedelta(seconds=self.size(object_name) - self.overlapping)
        return Watermark("Timestamp", (last + timedelta(minutes=5)).isoformat())

    def close(self) -> None:
        pass

    def fetch(self, request: FetchRequest) -> Page:
        number = int(str((request.checkpoint or {}).get("page", 0)))
        ids = self.ids(request.object_name, request.since.instant if request.since else None)
        here, before = (ids[n * PAGE : (n + 1) * PAGE] if n >= 0 else () for n in (number, number - 1))
        records = [self.record(request.object_name, i) for i in here]
        errors: list[RecordError] = []
        if here and not self.is_plain:
            records = [*self._older(records[:5]), *records, *records[5:10]]
            records += self._again([self.record(request.object_name, i) for i in before[20:35]])
            records += [ExternalRecord("", {"name": f"nameless {number}"})] * (
                number % 5 == 0 and self.phase < 3
            )  # else nobody knows what is gone
            errors = [_unreadable(f"torn-{number}")]
        if self.torn and number == 0:
            records = records[1:]
            if self.torn == "record without an id":
                records.append(ExternalRecord("", {}))
            else:
                errors.append(_unreadable("0" if self.torn == "error with an id" else None))
        following = {"page": number + 1} if len(ids) > (number + 1) * PAGE else None
        return Page(records, following, None if not self.is_plain else len(ids), errors)

    def _older(self, records: Sequence[ExternalRecord]) -> Iterable[ExternalRecord]:
        for record in records:
            yield evolve(record, fields={**record.fields, "name": "of old"}, modified_at=_began(0))

    def _again(self, records: Sequence[ExternalRecord]) -> Iterable[ExternalRecord]:
        """What the page before has delivered: the same, older, and newer."""
        yield from records[:5]
        yield from self._older(records[5:10])
        for record in records[10:]:
            later = (record.modified_at or _began(self.phase)) + timedelta(seconds=1)
            yield evolve(record, fields={**record.fields, "name": "newer"}, modified_at=later, is_deleted=False)

    # --- what there is --------------------------------------------------------------------------------

    def size(self, object_name: str) -> int:
        first = self.sizes[object_name]
        return first + first // NEW * (self.phase > 1)

    def _drawn(self, kind: int, i: int) -> int:
        """Return a number that looks random: a multiplicative hash (Knuth)."""
        return ((i + 1) * 2654435761 + (kind * 31 + self.seed) * 40503 * 65537 & 0xFFFFFFFF) * 2654435761 >> 12 & 0xFFFFFFF

    def touched(self, object_name: str, i: int) -> int:
        """Return the phase of a record's last change."""
        edited = [p for p in (2, 3) if p <= self.phase and self._drawn(p, i) % 5 == 0]
        deleted = self.phase > 1 and self.state(object_name, i) == "deleted"
        return 2 if deleted else max([1 + (i >= self.sizes[object_name]), *edited])

    def state(self, object_name: str, i: int) -> Literal["alive", "deleted", "vanished"]:
        fate = self._drawn(FATE, i) % 40
        if self.phase > 1 and fate in (0, 1):
            return "deleted"
        return "vanished" if self.phase > 2 and fate == 2 else "alive"

    @cache  # noqa: B019 - a child lives for one pull
    def ids(self, object_name: str, since: datetime | None) -> Sequence[int]:
        """Return what changed since; everything that is alive without."""
        every = range(self.size(object_name))
        if since is None:
            return [i for i in every if self.state(object_name, i) == "alive"]
        return [i for i in every if _modified(i, self.touched(object_name, i)) >= since]

    def record(self, object_name: str, i: int) -> ExternalRecord:
        version = self.touched(object_name, i)
        values = self._company(i, version) if object_name == "companies" else self._contact(i, version)
        is_deleted = self.state(object_name, i) == "deleted"
        return ExternalRecord(str(i), values, _modified(i, version), is_deleted)

    def _company(self, i: int, version: int) -> Mapping[str, Any]:
        name = "Nobody" if i % 1000 == 149 and version == 1 and self.splits else f"Company {i} {version}"
        return {"name": name, "domain": f"c{i}.example", "owner": str(self._drawn(OWNER, i) % self.sizes["contacts"])}

    def _contact(self, i: int, version: int) -> Mapping[str, Any]:
        email, name = f"p{i}@example.org", f"Person {i} {version}"
        if not self.is_plain:
            name += "x" * 40 * (i % 97 == 5 and version == 1)
        if self.splits:
            email = {7: f"p{i - 1}@example.org", 8: f"p{i // 2}@example.org"}.get(i % 500, email)
        company = self._drawn(COMPANY, i) % (self.sizes["companies"] * 11 // 10)
        amount = f"{self._drawn(AMOUNT + version, i) % 10**7 / 100:.2f}"
        return {"email": email, "name": name, "amount": amount, "company": str(company)}


def _unreadable(external_id: str | None) -> RecordError:
    return RecordError(external_id, "fetch", "unreadable", "the source cannot read it")


def _began(phase: int) -> datetime:
    return datetime(2026, 1, 1, tzinfo=UTC) + timedelta(days=phase)


def _modified(i: int, version: int) -> datetime:
    return _began(version) + timedelta(seconds=i)


@frozen
class Plugin:
    account: Account

    @hookimpl
    def mj_provider_types(self) -> Iterable[ProviderType[Any, Any]]:
        return [ProviderType("Account", NoSettings, NoSettings, lambda _: self.account, page_size=PAGE)]


def _map(object_name: str, priority: int, keys: Sequence[str] = (), **more: Any) -> Mapping[str, Any]:
    names = FIELDS[object_name]
    field_maps = [{"SourceFieldName": n, "DestinationFieldName": n.title(), "IsKeyField": n in keys} for n in names]
    strategy = {"MatchStrategy": {"Strategy": "KeyFields"}} if keys else {}
    entity = object_name.title()
    return {
        "ExternalObjectName": object_name, "Entity": entity, "Priority": priority, "FieldMaps": field_maps, **strategy, **more
    }  # fmt: skip


def document(*connections: str) -> Mapping[str, Any]:
    """Return the metadata of connections that write the same two entities."""
    maps = [
        _map("companies", 1, ConflictResolution="Manual", DeleteBehavior="SoftDelete"),
        _map("contacts", 2, ["email"], DeleteBehavior="HardDelete"),
    ]
    companies = [{"Name": "Name"}, {"Name": "Domain"}, {"Name": "Owner", "Type": "reference", "Entity": "Contacts"}]
    contacts = [
        {"Name": "Email", "Type": "email"},
        {"Name": "Name", "MaxLength": 40},
        {"Name": "Amount", "Type": "currency"},
        {"Name": "Company", "Type": "reference", "Entity": "Companies"},
    ]
    soft = {"SoftDeleteField": "IsDeleted"}
    return {
        "Companies": [{"Name": "Acme"}],
        "Entities": [
            {"Name": "Companies", "Table": "companies", **soft, "Fields": [*companies, {"Name": "IsDeleted", "Type": "boolean"}]},
            {"Name": "Contacts", "Table": "contacts", "Fields": contacts},
        ],
        "Connections": [{"Name": n, "Company": "Acme", "Provider": "Account", "EntityMaps": maps} for n in connections],
    }
