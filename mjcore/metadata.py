"""From documents to metadata: resolved against the store and the installed plugins, every problem found at once."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, Protocol, cast
from uuid import UUID

from attrs import define, evolve, field, frozen

from mjcore.checks import check_direction, check_settings
from mjcore.document import ConnectionEntry, Document, EntityMapEntry, Raw, TemplateEntry, merge
from mjcore.entities import EntityResolver
from mjcore.errors import ConfigError, Problem, UnknownName, did_you_mean
from mjcore.export import connection_document
from mjcore.ids import new_id
from mjcore.maps import MapResolver
from mjcore.models import Company, CompanyIntegration, ConnectionMetadata, Entity, IntegrationProvider, SyncDirection, Template
from mjcore.pausing import undone
from mjcore.reading import PARTS, Reader
from mjcore.snapshot import Snapshot, by_identity, take

if TYPE_CHECKING:
    from mjcore.kernel import Kernel


@frozen
class Metadata:
    """What documents say, with ids, defaults and templates resolved; nothing of it is stored yet."""

    companies: tuple[Company, ...] = ()
    entities: tuple[Entity, ...] = ()
    templates: tuple[Template, ...] = ()
    connections: tuple[ConnectionMetadata, ...] = ()
    """Each with all its entity maps, stored ones that the documents leave out too."""
    providers: tuple[IntegrationProvider, ...] = ()
    """Of every installed provider."""
    match_keys: Mapping[str, tuple[tuple[str, ...], ...]] = field(factory=dict)
    """By entity id: which fields are looked up together."""
    mentioned: frozenset[str] = frozenset()
    """Ids of the connections and entity maps that the documents hold."""
    warnings: tuple[Problem, ...] = ()


def read(kernel: "Kernel", documents: Sequence[Raw], stored: Snapshot | None = None) -> Metadata:
    """Check documents against the installed plugins and the store, or what was read from it before; nothing is written.

    `ConfigError` has every problem.
    """
    stored = stored or take(kernel.store)
    given = merge(documents)
    raw, labels = _with_users_of_templates(given, stored)
    templates = {t.name: cast("Sequence[Raw]", t.entity_maps) for t in stored.templates}
    reader = Reader(templates, labels)
    document = reader.document(raw)
    if any(not isinstance(raw[key], list | tuple) for key in PARTS[Document] if key in raw):
        raise ConfigError(*reader.problems)  # what a whole section would have defined, the rest would miss
    metadata, problems = _Resolver(kernel, stored, document, raw, reader.problems).metadata()
    if problems:
        raise ConfigError(*dict.fromkeys(problems))
    mentioned = {c.connection.id for c in metadata.connections if c.name in _names(given, "Connections")}
    return evolve(metadata, mentioned=metadata.mentioned | mentioned)


def _with_users_of_templates(raw: Raw, stored: Snapshot) -> tuple[Raw, Mapping[str, str]]:
    """Add the stored connections whose template the document defines anew, and what to call them."""
    given = list(_items(raw, "Connections"))
    templates = list(_items(raw, "Templates"))
    named = [name for item in given for name in (item.get("Name"), item.get("ID"))]
    added: list[Raw] = []
    for connection in stored.connections:
        before = next((t for t in stored.templates if t.id == connection.template_id), None)
        after = next((t for t in templates if before and (t.get("ID") == before.id or t.get("Name") == before.name)), None)
        if after and connection.id not in named and connection.name not in named:
            added.append({**connection_document(connection, stored), "Template": after.get("Name")})
    listed = raw.get("Connections", ())
    if not added or not isinstance(listed, list | tuple):
        return raw, {}
    labels = {f"Connections[{len(listed) + i}]": f"Connections[{c['Name']}]" for i, c in enumerate(added)}
    return {**raw, "Connections": [*listed, *added]}, labels


def _items(raw: Raw, key: str) -> Iterator[Raw]:
    items = raw.get(key)
    return (item for item in (items if isinstance(items, list | tuple) else ()) if isinstance(item, Mapping))


def _names(raw: Raw, key: str) -> set[str]:
    """Return the names in a list, of malformed entries too."""
    return {item["Name"] for item in _items(raw, key) if isinstance(item.get("Name"), str)}


class _Entry(Protocol):
    name: str
    id: str
    path: str


@define
class _Resolver:
    kernel: "Kernel"
    stored: Snapshot
    document: Document
    raw: Raw
    problems: list[Problem]
    warnings: list[Problem] = field(factory=list)

    def metadata(self) -> tuple[Metadata, list[Problem]]:
        document, stored = self.document, self.stored
        self.identities(document.companies, stored.companies)
        self.identities(document.entities, stored.entities)
        self.identities(document.templates, stored.templates)
        self.identities(document.connections, stored.connections)
        companies = tuple(Company(self.id_of(e, stored.companies), e.name) for e in document.companies)
        providers = tuple(self.providers())
        entities = EntityResolver(self.kernel.store, stored.entities, self.problems).resolve(
            document.entities, _names(self.raw, "Entities")
        )
        maps = MapResolver(self.kernel, stored, entities, self.problems, self.warnings)
        templates = tuple(self.template(entry, maps) for entry in document.templates)
        known = _Known(
            {c.name: c for c in (*stored.companies, *companies)},
            {p.name: p for p in providers},
            {t.name: t for t in (*stored.templates, *templates)},
        )
        connections = [self.connection(entry, known, maps) for entry in document.connections]
        maps.check_others()
        read = Metadata(
            companies,
            tuple(e for entry in document.entities if (e := entities[entry.name])),
            templates,
            tuple(c for c in connections if c is not None),
            providers,
            {entity: tuple(sorted(keys)) for entity, keys in maps.match_keys.items()},
            frozenset(maps.mentioned),
            tuple(dict.fromkeys(self.warnings)),
        )
        return read, self.problems

    # --- identity --------------------------------------------------------------------------------------

    def identities(self, entries: Sequence[_Entry], stored: Sequence[Any]) -> None:
        """Check names and ids: the form of ids, and that each name and each stored object is there once."""
        names: dict[str, str] = {}
        claimed: dict[str, str] = {}
        owners = {o.name: o.id for o in stored}
        given = {e.id for e in entries if e.id}
        for entry in entries:
            first = names.setdefault(entry.name, entry.path)
            if first != entry.path:
                self.problems.append(Problem(f"{entry.path}.Name", f"{entry.name!r} is there twice; {first} is the other one"))
            self.problems += _id_problems(entry.id, entry.path)
            owner = owners.get(entry.name)
            if entry.id and owner and owner != entry.id and owner not in given:
                fault = f"{entry.name!r} is stored with the ID {owner}; leave ID out to change it, or choose another Name"
                self.problems.append(Problem(f"{entry.path}.ID", fault))
            same = self.id_of(entry, stored)
            other = claimed.setdefault(same, entry.path)
            if other not in (entry.path, first):
                self.problems.append(Problem(f"{entry.path}.ID", f"{other} has this ID too; leave it out to get a new one"))

    def id_of(self, entry: _Entry, stored: Sequence[Any]) -> str:
        same = by_identity(stored, entry.id, entry.name)
        return str(same.id) if same else entry.id or new_id()

    def providers(self) -> Iterator[IntegrationProvider]:
        for kind in self.kernel.provider_types.values():
            same = by_identity(self.stored.providers, "", kind.name)
            ways: SyncDirection = "Bidirectional" if len(kind.directions) > 1 else "Push" if "Push" in kind.directions else "Pull"
            yield evolve(
                same or IntegrationProvider(new_id(), kind.name),
                description=kind.label or kind.name,
                driver_class=f"{kind.config.__module__}:{kind.config.__qualname__}",
                supported_sync_directions=ways,
            )

    # --- templates and connections -----------------------------------------------------------------------

    def template(self, entry: TemplateEntry, maps: MapResolver) -> Template:
        self.provider(entry)
        self.duplicate_maps(entry.entity_maps)
        for map_entry in entry.entity_maps:
            maps.resolve(map_entry, entry.provider, "Pull")
        raw = next(item for item in _items(self.raw, "Templates") if item.get("Name") == entry.name)
        entity_maps = tuple(item for item in _items(raw, "EntityMaps"))
        return Template(self.id_of(entry, self.stored.templates), entry.name, entry.provider, entity_maps)

    def connection(self, entry: ConnectionEntry, known: "_Known", maps: MapResolver) -> ConnectionMetadata | None:
        company, provider = known.companies.get(entry.company), known.providers.get(entry.provider)
        if company is None and entry.company not in _names(self.raw, "Companies"):
            near = did_you_mean(entry.company, known.companies)
            self.problems.append(Problem(f"{entry.path}.Company", f"no company {entry.company!r}{near}; add it to Companies"))
        self.provider(entry)
        self.settings(entry)
        template = self.template_of(entry, known.templates)
        self.duplicate_maps(entry.entity_maps)
        same = by_identity(self.stored.connections, entry.id, entry.name)
        entity_maps = maps.of_connection(entry, same)
        if company is None or provider is None:
            return None
        connection = CompanyIntegration(
            id=self.id_of(entry, self.stored.connections),
            name=entry.name,
            company_id=company.id,
            integration_provider_id=provider.id,
            description=entry.description,
            external_system_url=entry.external_system_url,
            configuration=entry.configuration,
            auth_configuration=entry.auth_configuration,
            status=self.status(entry, same),
            sync_direction=entry.sync_direction,
            last_sync_at=same.last_sync_at if same else None,
            next_sync_at=same.next_sync_at if same else None,
            template_id=template.id if template else None,
        )
        mine = [evolve(m, company_integration_id=connection.id) for m in entity_maps]
        found = ConnectionMetadata(connection, company, provider, tuple(sorted(mine, key=lambda m: m.priority)))
        if same:
            self.problems += maps.orphans(entry, found, same)
        return found

    def status(self, entry: ConnectionEntry, same: CompanyIntegration | None) -> Literal["Active", "Inactive", "Error"]:
        """Return what the document says; where it says nothing, the pause of an undo goes on."""
        says = any("Status" in item for item in _items(self.raw, "Connections") if item.get("Name") == entry.name)
        run = undone(self.kernel.store, same) if same and not says else None
        if run is None:
            return entry.status
        ends = f"a manual sync ends that: mj sync {entry.name!r} --manual"
        self.warnings.append(Problem(f"{entry.path}.Status", f"stays Inactive: run {run} was undone; {ends}"))
        return "Inactive"

    def provider(self, entry: TemplateEntry | ConnectionEntry) -> None:
        try:
            _ = self.kernel.provider_types[entry.provider]
        except UnknownName as error:
            self.problems.append(Problem(f"{entry.path}.Provider", str(error)))

    def settings(self, entry: ConnectionEntry) -> None:
        if entry.provider not in self.kernel.provider_types:
            return
        kind = self.kernel.provider_types[entry.provider]
        problems, warnings = check_settings(self.kernel, kind, entry.configuration, entry.auth_configuration)
        self.problems += [p.under(entry.path) for p in (*problems, *check_direction(kind, entry.sync_direction))]
        self.warnings += [p.under(entry.path) for p in warnings]

    def template_of(self, entry: ConnectionEntry, templates: Mapping[str, Template]) -> Template | None:
        if entry.template is None:
            return None
        template = templates.get(entry.template)
        where = f"{entry.path}.Template"
        if template is not None and template.provider != entry.provider:
            self.problems.append(Problem(where, f"{template.name!r} is for {template.provider}, not for {entry.provider}"))
        elif template is None and entry.template not in _names(self.raw, "Templates"):
            near = did_you_mean(entry.template, templates)
            self.problems.append(Problem(where, f"no template {entry.template!r}{near}; add it to Templates"))
        return template

    def duplicate_maps(self, entries: Iterable[EntityMapEntry]) -> None:
        seen: dict[tuple[str, str], str] = {}
        for entry in entries:
            self.problems += _id_problems(entry.id, entry.path)
            for field_map_index, field_map in enumerate(entry.field_maps or ()):
                self.problems += _id_problems(field_map.id, f"{entry.path}.FieldMaps[{field_map_index}]")
            first = seen.setdefault((entry.external_object_name, entry.entity), entry.path)
            if first != entry.path:
                fault = f"{entry.external_object_name} → {entry.entity} is mapped twice; {first} is the other one"
                self.problems.append(Problem(entry.path, fault))


@frozen
class _Known:
    """What connections name, by name: of the document and of the store."""

    companies: Mapping[str, Company]
    providers: Mapping[str, IntegrationProvider]
    templates: Mapping[str, Template]


def _id_problems(id_: str, path: str) -> Iterator[Problem]:
    try:
        is_uuid = not id_ or str(UUID(id_)) == id_
    except ValueError:
        is_uuid = False
    if not is_uuid:
        yield Problem(f"{path}.ID", "a UUID in small letters expected; leave it out to get a new one")
