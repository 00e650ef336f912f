"""The engine's own tables; entity tables are made from metadata, in `shapes`."""

import json
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.types import TypeDecorator, TypeEngine

from mj_storage_sql.text import dumps, loads

METADATA = sa.MetaData()


class Instant(TypeDecorator[datetime]):
    """An aware instant in UTC."""

    impl = sa.DateTime
    cache_ok = True

    def load_dialect_impl(self, dialect: sa.Dialect) -> TypeEngine[Any]:
        return dialect.type_descriptor(sa.DateTime(timezone=True))

    def process_bind_param(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        if value is None or dialect.name != "sqlite":
            return value
        return value.astimezone(UTC).replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:  # noqa: ARG002
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Document(TypeDecorator[Any]):
    """JSON. Kept as text, so that it comes back exactly as it was."""

    impl = sa.Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: sa.Dialect) -> str | None:  # noqa: ARG002
        return None if value is None else dumps(value)

    def process_result_value(self, value: str | None, dialect: sa.Dialect) -> Any:  # noqa: ARG002
        return None if value is None else json.loads(value)


class Values(Document):
    """Values of fields: a number with a fraction is a Decimal."""

    cache_ok = True

    def process_result_value(self, value: str | None, dialect: sa.Dialect) -> Any:  # noqa: ARG002
        return None if value is None else loads(value)


def _table(name: str, *columns: sa.Column[Any] | sa.Index | sa.UniqueConstraint, **options: Any) -> sa.Table:
    return sa.Table(name, METADATA, *columns, **options)


TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
"""Compared byte by byte, in the same order everywhere, and quicker than by any language's rules."""


def _id() -> sa.Column[str]:
    return sa.Column("id", TEXT, primary_key=True)


def _serial() -> sa.Column[int]:
    kind = sa.BigInteger().with_variant(sa.Integer, "sqlite")
    return sa.Column("id", kind, primary_key=True, autoincrement=True)


def _text(name: str, *, null: bool = False, key: bool = False) -> sa.Column[str]:
    return sa.Column(name, TEXT, nullable=null, primary_key=key)


def _whole(name: str, *, null: bool = False) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger, nullable=null)


def _flag(name: str) -> sa.Column[bool]:
    return sa.Column(name, sa.Boolean, nullable=False)


def _instant(name: str, *, null: bool = True) -> sa.Column[datetime]:
    return sa.Column(name, Instant, nullable=null)


def _json(name: str, *, null: bool = False) -> sa.Column[Any]:
    return sa.Column(name, Document, nullable=null)


def _values(name: str) -> sa.Column[Any]:
    return sa.Column(name, Values, nullable=False)


def _counts(prefix: str) -> list[sa.Column[int]]:
    kinds = ("processed", "created", "updated", "unchanged", "deleted", "skipped", "conflicted", "errored")
    return [_whole(f"{prefix}{kind}") for kind in kinds]


# --- Metadata ----------------------------------------------------------------------------------------

COMPANY = _table("mj_company", _id(), _text("name"))
ENTITY = _table(
    "mj_entity",
    _id(),
    _text("name"),
    _text("table"),
    _json("primary_key"),
    _text("soft_delete_field", null=True),
    _text("updated_at_field", null=True),
    _json("fields"),
    _text("key_origin"),
    _text("origin"),
)
PROVIDER = _table(
    "mj_integration_provider",
    _id(),
    _text("name"),
    _text("description"),
    _text("icon_class"),
    _text("driver_class"),
    _flag("supports_schema_discovery"),
    _text("supported_sync_directions"),
    _text("status"),
)
TEMPLATE = _table("mj_template", _id(), _text("name"), _text("provider"), _json("entity_maps"))
CONNECTION = _table(
    "mj_company_integration",
    _id(),
    _text("name"),
    _text("company_id"),
    _text("integration_provider_id"),
    _text("description"),
    _text("external_system_url"),
    _json("configuration"),
    _json("auth_configuration"),
    _text("status"),
    _text("sync_direction"),
    _instant("last_sync_at"),
    _instant("next_sync_at"),
    _text("template_id", null=True),
)
ENTITY_MAP = _table(
    "mj_integration_entity_map",
    _id(),
    _text("company_integration_id"),
    _text("external_object_name"),
    _text("external_object_label"),
    _text("entity_id"),
    _text("sync_direction"),
    _flag("sync_enabled"),
    _json("match_strategy"),
    _text("conflict_resolution"),
    _text("delete_behavior"),
    _whole("priority"),
    _whole("precedence"),
    _instant("initial_since"),
    _json("configuration"),
    _text("status"),
    _whole("version"),
    sa.Index("ix_mj_entity_map_connection", "company_integration_id"),
)
FIELD_MAP = _table(
    "mj_integration_field_map",
    _id(),
    _text("entity_map_id"),
    _whole("position"),
    _text("source_field_name"),
    _text("source_field_label"),
    _text("destination_field_name"),
    _text("destination_field_label"),
    _text("direction"),
    _json("transform_pipeline"),
    _flag("is_key_field"),
    _flag("is_required"),
    _flag("optional"),
    _json("default_value", null=True),
    _whole("priority"),
    _text("status"),
    sa.Index("ix_mj_field_map_entity_map", "entity_map_id"),
)
MAP_VERSION = _table(
    "mj_map_version",
    _id(),
    _text("entity_map_id"),
    _whole("version"),
    _json("mapping"),
    _instant("saved_at", null=False),
    sa.Index("ix_mj_map_version_entity_map", "entity_map_id", "version"),
)

EXTERNAL_SCHEMA = _table(
    "mj_external_schema",
    _id(),
    _text("company_integration_id"),
    _text("object_name"),
    _json("fields"),
    _instant("seen_at", null=False),
)

# --- Runs --------------------------------------------------------------------------------------------

RUN = _table(
    "mj_integration_run",
    _id(),
    _text("company_integration_id"),
    _text("direction"),
    _text("status"),
    _instant("started_at", null=False),
    _text("trigger_type"),
    _instant("completed_at"),
    *_counts("total_records_"),
    _text("error_message", null=True),
    _json("configuration"),
    _text("executed_by_user_id", null=True),
    _text("scheduled_job_run_id", null=True),
    sa.Index("ix_mj_run_connection", "company_integration_id", "status"),
)
RUN_DETAIL = _table(
    "mj_integration_run_detail",
    _id(),
    _text("integration_run_id"),
    _text("entity_map_id"),
    _text("status"),
    _instant("started_at", null=False),
    _instant("completed_at"),
    *_counts("records_"),
    _text("error_message", null=True),
    _json("details"),
    _text("watermark_before", null=True),
    _text("watermark_after", null=True),
    sa.Index("ix_mj_run_detail_run", "integration_run_id", "entity_map_id"),
)
LEASE = _table(
    "mj_lease",
    _text("company_integration_id", key=True),
    _text("holder", null=True),
    _whole("fence"),
    _instant("expires_at", null=False),
    _text("cancelled", null=True),
)
WATERMARK = _table(
    "mj_integration_sync_watermark",
    _text("entity_map_id", key=True),
    _text("direction", key=True),
    _text("watermark_type", null=True),
    _text("watermark_value", null=True),
    _instant("last_sync_at"),
    _whole("records_synced"),
    _text("run_id", null=True),
    _whole("map_version", null=True),
    _json("since", null=True),
    _json("until", null=True),
    _json("checkpoint", null=True),
    _flag("is_full"),
    _flag("has_gaps"),
    _text("closed_by", null=True),
)

# --- Records -----------------------------------------------------------------------------------------

LINK = _table(
    "mj_record_link",
    _text("entity_map_id", key=True),
    _text("external_id", key=True),
    _text("entity_id"),
    _text("record_key"),
    sa.Column("content_hash", sa.LargeBinary, nullable=False),
    _json("source_values"),
    _instant("source_modified_at"),
    _flag("created_row"),
    _flag("is_tombstone"),
    _text("run_id"),
    _whole("map_version"),
    sa.Index("ix_mj_record_link_record", "entity_id", "record_key"),
)
CHANGE = _table(
    "mj_record_change",
    _serial(),
    _text("entity_id"),
    _text("record_key"),
    _text("kind"),
    _values("old"),
    _values("new"),
    _text("run_id"),
    _text("entity_map_id"),
    _whole("map_version"),
    _text("rule"),
    _text("external_id"),
    _text("origin"),
    _instant("changed_at", null=False),
    sa.Index("ix_mj_record_change_record", "entity_id", "record_key"),
    sa.Index("ix_mj_record_change_run", "run_id"),
)
FAILED = _table(
    "mj_failed_record",
    _text("entity_map_id", key=True),
    _text("fingerprint", key=True),
    _text("external_id", null=True),
    _text("stage"),
    _text("code"),
    _text("message"),
    _json("raw", null=True),
    _whole("attempts"),
    _text("run_id"),
    _instant("first_failed_at", null=False),
    _instant("last_failed_at", null=False),
)
CONFLICT = _table(
    "mj_conflict",
    _text("entity_map_id", key=True),
    _text("external_id", key=True),
    _text("entity_id"),
    _text("record_key"),
    _values("base"),
    _values("source"),
    _values("current"),
    _text("answer", null=True),
    _flag("is_deleted"),
    _text("run_id"),
    _instant("queued_at", null=False),
)
SEEN = _table(
    "mj_seen",
    _text("entity_map_id", key=True),
    _text("kind", key=True),
    _text("external_id", key=True),
    _instant("modified_at"),
    sqlite_with_rowid=False,  # written with every record of a full read
)
