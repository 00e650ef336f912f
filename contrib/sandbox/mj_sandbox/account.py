"""A simulated HubSpot account: its records, and who may see them."""

from collections.abc import Mapping
from threading import RLock

from attrs import define, field

from mj_sandbox.blocks import Source
from mj_sandbox.catalogue import OBJECT_TYPES
from mj_sandbox.clock import Clock
from mj_sandbox.links import Links
from mj_sandbox.objecttypes import ObjectType
from mj_sandbox.options import Options
from mj_sandbox.pipelines import PIPELINES, Pipeline
from mj_sandbox.problems import Problem, missing
from mj_sandbox.search import Searches
from mj_sandbox.table import Table
from mj_sandbox.tokens import Tokens
from mj_sandbox.words import JOB_TITLES


@define(eq=False)
class Account:
    """Everything one account holds. Hold `lock` while using it beside a running server."""

    options: Options
    clock: Clock = field(init=False)
    tables: Mapping[str, Table] = field(init=False)
    """Plural name -> records."""
    links: Links = field(init=False)
    searches: Mapping[str, Searches] = field(init=False)
    tokens: Tokens = field(init=False)
    pipelines: dict[str, list[Pipeline]] = field(init=False)
    lock: RLock = field(init=False, factory=RLock)
    _names: dict[str, str] = field(init=False, factory=dict)
    _edited: int = field(init=False, default=0)

    def __attrs_post_init__(self) -> None:
        options, sources = self.options, dict[str, Source]()
        self.clock, self.tokens = Clock(options.clock), Tokens(options.token, options.portal)
        for kind in OBJECT_TYPES:
            count = -(-options.contacts // kind.per_contacts)
            sources[kind.name] = Source(
                kind.name, options.seed, count, kind.first_id, kind.columns(), sources, options.duplicates
            )
        kinds = [kind for kind in OBJECT_TYPES if kind.name not in options.without]
        self.tables = {kind.name: self._table(kind, sources[kind.name]) for kind in kinds}
        self._names = {alias: kind.name for kind in kinds for alias in kind.aliases(options.portal)}
        self.links = Links(self.tables)
        self.searches = {name: Searches(table) for name, table in self.tables.items()}
        self.pipelines = {name: list(pipelines) for name, pipelines in PIPELINES.items()}

    def _table(self, kind: ObjectType, source: Source) -> Table:
        pages = f"https://app.hubspot.com/contacts/{self.options.portal}/record/{kind.type_id}/"
        return Table(kind, source, pages, self.options.index_lag_ms / 1000)

    def table(self, text: str) -> Table:
        """Return the records of an object type by any of its names. Raises Problem."""
        name = self._names.get(text) or self._names.get(text.lower())
        if name is None:
            raise missing(f"Unable to infer object type from: {text}")
        if name in self.options.missing_scopes:
            scopes = [f"crm.objects.{name}.read"]
            detail = {
                "message": "One or more of the following scopes are required.",
                "context": {"requiredGranularScopes": scopes},
            }
            raise Problem(
                403,
                "MISSING_SCOPES",
                "This app hasn't been granted all required scopes to make this call.",
                errors=[detail],
            )
        return self.tables[name]

    def edit(self, count: int) -> list[int]:
        """Change the job title of so many contacts, each at its own instant, and return their ids.

        Every call goes on to other contacts, spread over all; when they are used up, from the start again.
        """
        table = self.tables["contacts"]
        ids = []
        for _ in range(min(count, table.live_count())):
            record_id = self._next(table)
            old = table.value(record_id, "jobtitle")
            titles = [
                title for title in (JOB_TITLES[self._edited % len(JOB_TITLES)], JOB_TITLES[-1], JOB_TITLES[0]) if title != old
            ]
            table.write(record_id, {"jobtitle": titles[0]}, self.clock.tick())
            ids.append(record_id)
        self.clock.settle()
        return ids

    def _next(self, table: Table) -> int:
        """Return the next live contact to edit, walking over all in long steps."""
        everyone = table.source.count or 1
        stride = 7919 if everyone % 7919 else 7907
        while True:
            self._edited += 1
            record_id = table.source.first_id + self._edited * stride % everyone
            if table.live(record_id):
                return record_id
