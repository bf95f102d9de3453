"""Runs the migrations on the connection that `stompd.store.revision` hands over, inside its transaction."""

from __future__ import annotations

from alembic import context

from stompd.store.revision import REVISION_TABLE
from stompd.store.schema import METADATA

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=METADATA,
    version_table=REVISION_TABLE,
    render_as_batch=True,  # SQLite can hardly alter a table; Alembic copies it instead
)
with context.begin_transaction():
    context.run_migrations()
