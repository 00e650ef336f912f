"""The engine's tables."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "mj_company",
        sa.Column("id", TEXT, nullable=False),
        sa.Column("name", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "mj_company_integration",
        sa.Column("id", TEXT, nullable=False),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("company_id", TEXT, nullable=False),
        sa.Column("integration_provider_id", TEXT, nullable=False),
        sa.Column("description", TEXT, nullable=False),
        sa.Column("external_system_url", TEXT, nullable=False),
        sa.Column("configuration", sa.Text(), nullable=False),
        sa.Column("auth_configuration", sa.Text(), nullable=False),
        sa.Column("status", TEXT, nullable=False),
        sa.Column("sync_direction", TEXT, nullable=False),
        sa.Column("last_sync_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("next_sync_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("template_id", TEXT, nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "mj_conflict",
        sa.Column("entity_map_id", TEXT, nullable=False),
        sa.Column("external_id", TEXT, nullable=False),
        sa.Column("entity_id", TEXT, nullable=False),
        sa.Column("record_key", TEXT, nullable=False),
        sa.Column("base", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("current", sa.Text(), nullable=False),
        sa.Column("answer", TEXT, nullable=True),
        sa.Column("is_deleted", sa.Boolean(), nullable=False),
        sa.Column("run_id", TEXT, nullable=False),
        sa.Column("queued_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("entity_map_id", "external_id"),
    )
    op.create_table(
        "mj_entity",
        sa.Column("id", TEXT, nullable=False),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("table", TEXT, nullable=False),
        sa.Column("primary_key", sa.Text(), nullable=False),
        sa.Column("soft_delete_field", TEXT, nullable=True),
        sa.Column("updated_at_field", TEXT, nullable=True),
        sa.Column("fields", sa.Text(), nullable=False),
        sa.Column("key_origin", TEXT, nullable=False),
        sa.Column("origin", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "mj_external_schema",
        sa.Column("id", TEXT, nullable=False),
        sa.Column("company_integration_id", TEXT, nullable=False),
        sa.Column("object_name", TEXT, nullable=False),
        sa.Column("fields", sa.Text(), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "mj_failed_record",
        sa.Column("entity_map_id", TEXT, nullable=False),
        sa.Column("fingerprint", TEXT, nullable=False),
        sa.Column("external_id", TEXT, nullable=True),
        sa.Column("stage", TEXT, nullable=False),
        sa.Column("code", TEXT, nullable=False),
        sa.Column("message", TEXT, nullable=False),
        sa.Column("raw", sa.Text(), nullable=True),
        sa.Column("attempts", sa.BigInteger(), nullable=False),
        sa.Column("run_id", TEXT, nullable=False),
        sa.Column("first_failed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_failed_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("entity_map_id", "fingerprint"),
    )
    op.create_table(
        "mj_integration_entity_map",
        sa.Column("id", TEXT, nullable=False),
        sa.Column("company_integration_id", TEXT, nullable=False),
        sa.Column("external_object_name", TEXT, nullable=False),
        sa.Column("external_object_label", TEXT, nullable=False),
        sa.Column("entity_id", TEXT, nullable=False),
        sa.Column("sync_direction", TEXT, nullable=False),
        sa.Column("sync_enabled", sa.Boolean(), nullable=False),
        sa.Column("match_strategy", sa.Text(), nullable=False),
        sa.Column("conflict_resolution", TEXT, nullable=False),
        sa.Column("delete_behavior", TEXT, nullable=False),
        sa.Column("priority", sa.BigInteger(), nullable=False),
        sa.Column("precedence", sa.BigInteger(), nullable=False),
        sa.Column("initial_since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("configuration", sa.Text(), nullable=False),
        sa.Column("status", TEXT, nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_mj_entity_map_connection", "mj_integration_entity_map", ["company_integration_id"], unique=False)
    op.create_table(
        "mj_integration_field_map",
        sa.Column("id", TEXT, nullable=False),
        sa.Column("entity_map_id", TEXT, nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("source_field_name", TEXT, nullable=False),
        sa.Column("source_field_label", TEXT, nullable=False),
        sa.Column("destination_field_name", TEXT, nullable=False),
        sa.Column("destination_field_label", TEXT, nullable=False),
        sa.Column("direction", TEXT, nullable=False),
        sa.Column("transform_pipeline", sa.Text(), nullable=False),
        sa.Column("is_key_field", sa.Boolean(), nullable=False),
        sa.Column("is_required", sa.Boolean(), nullable=False),
        sa.Column("optional", sa.Boolean(), nullable=False),
        sa.Column("default_value", sa.Text(), nullable=True),
        sa.Column("priority", sa.BigInteger(), nullable=False),
        sa.Column("status", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_mj_field_map_entity_map", "mj_integration_field_map", ["entity_map_id"], unique=False)
    op.create_table(
        "mj_integration_provider",
        sa.Column("id", TEXT, nullable=False),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("description", TEXT, nullable=False),
        sa.Column("icon_class", TEXT, nullable=False),
        sa.Column("driver_class", TEXT, nullable=False),
        sa.Column("supports_schema_discovery", sa.Boolean(), nullable=False),
        sa.Column("supported_sync_directions", TEXT, nullable=False),
        sa.Column("status", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "mj_integration_run",
        sa.Column("id", TEXT, nullable=False),
        sa.Column("company_integration_id", TEXT, nullable=False),
        sa.Column("direction", TEXT, nullable=False),
        sa.Column("status", TEXT, nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("trigger_type", TEXT, nullable=False),
        sa.Column("completed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("total_records_processed", sa.BigInteger(), nullable=False),
        sa.Column("total_records_created", sa.BigInteger(), nullable=False),
        sa.Column("total_records_updated", sa.BigInteger(), nullable=False),
        sa.Column("total_records_unchanged", sa.BigInteger(), nullable=False),
        sa.Column("total_records_deleted", sa.BigInteger(), nullable=False),
        sa.Column("total_records_skipped", sa.BigInteger(), nullable=False),
        sa.Column("total_records_conflicted", sa.BigInteger(), nullable=False),
        sa.Column("total_records_errored", sa.BigInteger(), nullable=False),
        sa.Column("error_message", TEXT, nullable=True),
        sa.Column("configuration", sa.Text(), nullable=False),
        sa.Column("executed_by_user_id", TEXT, nullable=True),
        sa.Column("scheduled_job_run_id", TEXT, nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_mj_run_connection", "mj_integration_run", ["company_integration_id", "status"], unique=False)
    op.create_table(
        "mj_integration_run_detail",
        sa.Column("id", TEXT, nullable=False),
        sa.Column("integration_run_id", TEXT, nullable=False),
        sa.Column("entity_map_id", TEXT, nullable=False),
        sa.Column("status", TEXT, nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("completed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("records_processed", sa.BigInteger(), nullable=False),
        sa.Column("records_created", sa.BigInteger(), nullable=False),
        sa.Column("records_updated", sa.BigInteger(), nullable=False),
        sa.Column("records_unchanged", sa.BigInteger(), nullable=False),
        sa.Column("records_deleted", sa.BigInteger(), nullable=False),
        sa.Column("records_skipped", sa.BigInteger(), nullable=False),
        sa.Column("records_conflicted", sa.BigInteger(), nullable=False),
        sa.Column("records_errored", sa.BigInteger(), nullable=False),
        sa.Column("error_message", TEXT, nullable=True),
        sa.Column("details", sa.Text(), nullable=False),
        sa.Column("watermark_before", TEXT, nullable=True),
        sa.Column("watermark_after", TEXT, nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_mj_run_detail_run", "mj_integration_run_detail", ["integration_run_id", "entity_map_id"], unique=False)
    op.create_table(
        "mj_integration_sync_watermark",
        sa.Column("entity_map_id", TEXT, nullable=False),
        sa.Column("direction", TEXT, nullable=False),
        sa.Column("watermark_type", TEXT, nullable=True),
        sa.Column("watermark_value", TEXT, nullable=True),
        sa.Column("last_sync_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("records_synced", sa.BigInteger(), nullable=False),
        sa.Column("run_id", TEXT, nullable=True),
        sa.Column("map_version", sa.BigInteger(), nullable=True),
        sa.Column("since", sa.Text(), nullable=True),
        sa.Column("until", sa.Text(), nullable=True),
        sa.Column("checkpoint", sa.Text(), nullable=True),
        sa.Column("is_full", sa.Boolean(), nullable=False),
        sa.Column("has_gaps", sa.Boolean(), nullable=False),
        sa.Column("closed_by", TEXT, nullable=True),
        sa.PrimaryKeyConstraint("entity_map_id", "direction"),
    )
    op.create_table(
        "mj_lease",
        sa.Column("company_integration_id", TEXT, nullable=False),
        sa.Column("holder", TEXT, nullable=True),
        sa.Column("fence", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("cancelled", TEXT, nullable=True),
        sa.PrimaryKeyConstraint("company_integration_id"),
    )
    op.create_table(
        "mj_map_version",
        sa.Column("id", TEXT, nullable=False),
        sa.Column("entity_map_id", TEXT, nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("mapping", sa.Text(), nullable=False),
        sa.Column("saved_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_mj_map_version_entity_map", "mj_map_version", ["entity_map_id", "version"], unique=False)
    op.create_table(
        "mj_record_change",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("entity_id", TEXT, nullable=False),
        sa.Column("record_key", TEXT, nullable=False),
        sa.Column("kind", TEXT, nullable=False),
        sa.Column("old", sa.Text(), nullable=False),
        sa.Column("new", sa.Text(), nullable=False),
        sa.Column("run_id", TEXT, nullable=False),
        sa.Column("entity_map_id", TEXT, nullable=False),
        sa.Column("map_version", sa.BigInteger(), nullable=False),
        sa.Column("rule", TEXT, nullable=False),
        sa.Column("external_id", TEXT, nullable=False),
        sa.Column("origin", TEXT, nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_mj_record_change_record", "mj_record_change", ["entity_id", "record_key"], unique=False)
    op.create_index("ix_mj_record_change_run", "mj_record_change", ["run_id"], unique=False)
    op.create_table(
        "mj_record_link",
        sa.Column("entity_map_id", TEXT, nullable=False),
        sa.Column("external_id", TEXT, nullable=False),
        sa.Column("entity_id", TEXT, nullable=False),
        sa.Column("record_key", TEXT, nullable=False),
        sa.Column("content_hash", sa.LargeBinary(), nullable=False),
        sa.Column("source_values", sa.Text(), nullable=False),
        sa.Column("source_modified_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_row", sa.Boolean(), nullable=False),
        sa.Column("is_tombstone", sa.Boolean(), nullable=False),
        sa.Column("run_id", TEXT, nullable=False),
        sa.Column("map_version", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("entity_map_id", "external_id"),
    )
    op.create_index("ix_mj_record_link_record", "mj_record_link", ["entity_id", "record_key"], unique=False)
    op.create_table(
        "mj_seen",
        sa.Column("entity_map_id", TEXT, nullable=False),
        sa.Column("kind", TEXT, nullable=False),
        sa.Column("external_id", TEXT, nullable=False),
        sa.Column("modified_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("entity_map_id", "kind", "external_id"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "mj_template",
        sa.Column("id", TEXT, nullable=False),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("provider", TEXT, nullable=False),
        sa.Column("entity_maps", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
