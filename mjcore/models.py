"""The stored metadata and history: the entities of the metadata file and what a run records about itself."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Literal

from attrs import Factory, field, frozen

from mjcore.records import JSON
from mjcore.schema import FieldType

Status = Literal["Active", "Inactive"]
SyncDirection = Literal["Pull", "Push", "Bidirectional"]
Direction = Literal["Pull", "Push"]
Trigger = Literal["Scheduled", "Manual", "Webhook"]
ConflictResolution = Literal["SourceWins", "DestWins", "MostRecent", "Manual"]
DeleteBehavior = Literal["SoftDelete", "DoNothing", "HardDelete"]
OnError = Literal["Fail", "Null", "Skip"]


@frozen
class Company:
    id: str
    name: str


@frozen
class EntityField:
    """A column of a target table: what it means (`type`) and what it can hold."""

    name: str
    type: FieldType = "string"
    max_length: int | None = None
    is_required: bool = False
    """NOT NULL without a default."""
    is_unique: bool = False
    exact: bool = False
    """Keep numbers as text, where the database would round them."""
    entity: str | None = None
    """Type `reference`: the entity that it points to."""
    number: Literal["decimal", "numeric", "integer", "double"] = "decimal"
    """`decimal`: exact within precision and scale. `numeric`: SQLite's, 64-bit integer or double. `double`: binary."""
    precision: int | None = None
    """Of a decimal: significant digits. Of an integer: bits, sign included."""
    scale: int | None = None
    fraction_digits: int = 6
    """Of a datetime: digits of a second that the column keeps."""
    has_zone: bool = True
    """Of a datetime: the column keeps instants; without, it keeps UTC."""


@frozen
class Entity:
    """A target table. `origin` is Created where `apply` made the table, Adopted where it was there before."""

    name: str
    table: str
    primary_key: tuple[str, ...] = ("id",)
    soft_delete_field: str | None = None
    updated_at_field: str | None = None
    fields: tuple[EntityField, ...] = ()
    key_origin: Literal["uuid", "database", "mapped"] = "uuid"
    """Who makes the key of a new row: the kernel (UUIDv7 text), the database, or the field maps."""
    origin: Literal["Created", "Adopted"] = "Created"
    id: str = ""
    _by_name: Mapping[str, EntityField] = field(
        init=False, eq=False, repr=False, default=Factory(lambda entity: {f.name: f for f in reversed(entity.fields)}, True)
    )

    def field(self, name: str) -> EntityField | None:
        return self._by_name.get(name)


@frozen
class IntegrationProvider:
    id: str
    name: str
    description: str = ""
    icon_class: str = ""
    driver_class: str = ""
    supports_schema_discovery: bool = True
    supported_sync_directions: SyncDirection = "Pull"
    status: Status = "Active"


@frozen
class TransformStep:
    """One step of a pipeline; `config` is checked against the config class of the transform type."""

    type: str
    config: Mapping[str, JSON] = field(factory=dict)
    on_error: OnError = "Fail"


@frozen
class FieldMap:
    """One source field into one destination field."""

    source_field_name: str
    destination_field_name: str
    transform_pipeline: tuple[TransformStep, ...] = ()
    is_key_field: bool = False
    is_required: bool = False
    default_value: JSON = None
    direction: Literal["SourceToDest", "DestToSource", "Both"] = "SourceToDest"
    priority: int = 0
    optional: bool = False
    """The map survives the loss of the source field."""
    source_field_label: str = ""
    destination_field_label: str = ""
    status: Status = "Active"
    id: str = ""


@frozen
class EntityMap:
    """One external object into one entity, of one connection."""

    external_object_name: str
    entity: Entity
    field_maps: tuple[FieldMap, ...] = ()
    match_strategy: Mapping[str, JSON] = field(factory=dict)
    conflict_resolution: ConflictResolution = "SourceWins"
    delete_behavior: DeleteBehavior = "DoNothing"
    priority: int = 0
    precedence: int = 0
    """Ranks connections that write one entity; higher wins."""
    sync_direction: SyncDirection = "Pull"
    sync_enabled: bool = True
    external_object_label: str = ""
    initial_since: datetime | None = None
    configuration: Mapping[str, JSON] = field(factory=dict)
    status: Status = "Active"
    version: int = 1
    """Grows when what the map does to a record changes."""
    company_integration_id: str = ""
    id: str = ""


@frozen
class Template:
    """Entity maps that many connections share, as written in the metadata file."""

    id: str
    name: str
    provider: str
    entity_maps: tuple[Mapping[str, JSON], ...] = ()


@frozen
class CompanyIntegration:
    """A connection: one account of one provider, for one company."""

    id: str
    name: str
    company_id: str
    integration_provider_id: str
    description: str = ""
    external_system_url: str = ""
    configuration: Mapping[str, JSON] = field(factory=dict)
    auth_configuration: Mapping[str, JSON] = field(factory=dict)
    """References to secrets (`env:NAME`, `file:PATH`), never secrets."""
    status: Literal["Active", "Inactive", "Error"] = "Active"
    sync_direction: SyncDirection = "Pull"
    last_sync_at: datetime | None = None
    next_sync_at: datetime | None = None
    template_id: str | None = None


@frozen
class ConnectionMetadata:
    """A connection with all that a run of it needs, from the store or from a metadata file that is not applied."""

    connection: CompanyIntegration
    company: Company
    provider: IntegrationProvider
    entity_maps: tuple[EntityMap, ...] = ()
    """By priority."""

    @property
    def name(self) -> str:
        return self.connection.name


@frozen
class MapVersion:
    """An entity map as it was saved, for `explain` and for re-mapping."""

    id: str
    entity_map_id: str
    version: int
    mapping: Mapping[str, JSON]
    saved_at: datetime


@frozen
class ExternalSchema:
    """The fields of one external object, as discovery last saw them: type by name."""

    id: str
    company_integration_id: str
    object_name: str
    fields: Mapping[str, str]
    seen_at: datetime


@frozen
class IntegrationRun:
    id: str
    company_integration_id: str
    direction: Direction
    status: Literal["Running", "Completed", "Failed", "Cancelled"]
    started_at: datetime
    trigger_type: Trigger = "Manual"
    completed_at: datetime | None = None
    total_records_processed: int = 0
    total_records_created: int = 0
    total_records_updated: int = 0
    total_records_unchanged: int = 0
    total_records_deleted: int = 0
    total_records_skipped: int = 0
    total_records_conflicted: int = 0
    total_records_errored: int = 0
    error_message: str | None = None
    configuration: Mapping[str, JSON] = field(factory=dict)
    """Snapshot of what was asked, without secrets."""
    executed_by_user_id: str | None = None
    scheduled_job_run_id: str | None = None


@frozen
class IntegrationRunDetail:
    id: str
    integration_run_id: str
    entity_map_id: str
    status: Literal["Running", "Completed", "Failed", "Partial", "Cancelled"]
    started_at: datetime
    completed_at: datetime | None = None
    records_processed: int = 0
    records_created: int = 0
    records_updated: int = 0
    records_unchanged: int = 0
    records_deleted: int = 0
    records_skipped: int = 0
    records_conflicted: int = 0
    records_errored: int = 0
    error_message: str | None = None
    details: Mapping[str, JSON] = field(factory=dict)
    watermark_before: str | None = None
    watermark_after: str | None = None


@frozen
class SyncContext:
    """Which run, which connection, which map. Grows here, so that no hook signature has to."""

    run_id: str
    connection: str
    company: str
    entity_map: EntityMap
    direction: Direction
    trigger: Trigger
    started_at: datetime
    connection_id: str = ""
    is_full: bool = False
    is_dry_run: bool = False
    """A plan is made: what is written stays in a store of its own, and no event tells of it."""
    is_cancelled: Callable[[], bool] = lambda: False

    @property
    def entity(self) -> Entity:
        return self.entity_map.entity


@frozen
class RunRequest:
    """What to run, as plain JSON values: a distributed executor sends it to another machine."""

    connection: str
    maps: tuple[str, ...] = ()
    """External object names or entity map ids; `()` is all."""
    direction: Direction = "Pull"
    full: bool = False
    since: str | None = None
    until: str | None = None
    mode: Literal["sync", "remap", "retry", "repair"] = "sync"
    """`remap`: map what is linked anew, without asking the source. `retry`: only what failed or was answered. `repair`: read in
    full, and let the source win whatever it was before."""
    trigger: Trigger = "Manual"
    allow_deletes: bool = False
    """A person has approved more deletes than the guard lets pass."""
    run_id: str | None = None
