"""Rules of discovery."""

from typing import get_args

from mj_testing.proof import broken
from mj_testing.rules import rule
from mj_testing.suites.provider.stage import Accounts, Stage
from mjcore.schema import ExternalField, FieldType


class DiscoveryRules(Accounts):
    """What objects and fields have to keep."""

    @rule(
        "the objects are named once each, and the one that records are in is among them",
        remedy="yield every object that the account can read from `objects()`, custom ones too, each once",
    )
    def test_objects_are_found(self) -> None:
        self.proof.once(self._finds_objects)

    def _finds_objects(self) -> None:
        with self.stage() as stage:
            stage.fill(["a"])
            names = [found.name for found in stage.open().objects()]
        if stage.object_name not in names or len(set(names)) < len(names):
            broken(seen=f"{names}, and records are in {stage.object_name!r}")

    @rule(
        "fields are named once each, in the vocabulary of types",
        remedy=f"map the source's types to {', '.join(get_args(FieldType))}; what fits none is `unknown`",
    )
    def test_fields_are_described(self) -> None:
        self.proof.once(self._describes_fields)

    def _describes_fields(self) -> None:
        for found in (fields := self._fields()):
            if found.type not in get_args(FieldType) or not found.name.strip():
                broken(seen=found)
        names = [found.name for found in fields]
        if len(set(names)) < len(names):
            broken(seen=f"names that are there twice: {sorted({name for name in names if names.count(name) > 1})}")

    def _fields(self) -> list[ExternalField]:
        with self.stage() as stage:
            stage.fill(["a"])
            return list(stage.open().fields(stage.object_name))

    @rule(
        "discovery is complete: what a record can deliver is among the fields",
        remedy="describe the field in `fields()`, or do not deliver it: what discovery does not know cannot be mapped or checked",
    )
    def test_every_delivered_field_is_discovered(self) -> None:
        self.proof.holds(self.texts(1), self._discovers, most=max(1, self.examples // 10))

    def _discovers(self, texts: list[str]) -> None:
        with self.stage() as stage:
            stage.fill(texts)
            source = stage.open()
            names = stage.fields(source)
            records = stage.drain(source, stage.request(source, 100, fields=names)).records
        for record in records:
            if unknown := record.fields.keys() - set(names):
                broken(example=texts, seen=f"record {record.external_id} delivers {sorted(unknown)}")
        if stage.account.field not in names:
            broken(example=texts, seen=f"{stage.account.field!r} is not among {sorted(names)}")

    @rule(
        "discovery is stable: it says the same again, in this process and in another",
        remedy="sort what comes from a set or from several answers, and keep no state that a second call sees",
    )
    def test_discovery_is_stable(self) -> None:
        self.proof.once(self._is_stable)

    def _is_stable(self) -> None:
        with self.stage() as stage:
            stage.fill(["a", "b"])
            source = stage.open()
            found = [self._all(stage, one) for one in (source, source, stage.open())]
        for other in found[1:]:
            if other != found[0]:
                changed = [pair for pair in zip(found[0], other, strict=False) if pair[0] != pair[1]] or "another number of them"
                broken(seen=changed)

    @staticmethod
    def _all(stage: Stage, source: object) -> list[object]:
        return [*source.objects(), *source.fields(stage.object_name)]  # type: ignore[attr-defined]

    @rule(
        "`test` returns facts to show: texts by name",
        remedy="return a mapping of texts, such as {'account': '4711'}; raise a ProviderError when the account cannot be used",
    )
    def test_test_returns_facts(self) -> None:
        self.proof.once(self._returns_facts)

    def _returns_facts(self) -> None:
        with self.stage() as stage:
            facts = stage.open().test()
        if any(not isinstance(part, str) for pair in facts.items() for part in pair):
            broken(seen=dict(facts))
