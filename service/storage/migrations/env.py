"""Run by Alembic; takes part in the transaction that `migrate` has begun."""

from __future__ import annotations

from alembic import context

from service.storage.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    # SQLite alters most things only by making a table anew.
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()
