"""Runs migrations on the connection that `mj_storage_sql.migrate` hands over, inside its transaction."""

from alembic import context
from mj_storage_sql.tables import METADATA

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=METADATA,
    version_table="mj_alembic_version",
    transaction_per_migration=False,
)
context.run_migrations()
