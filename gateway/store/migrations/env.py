"""Alembic's entry: runs on the connection that `store.base.upgrade` hands over."""

from alembic import context

from gateway.store.base.tables import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
with context.begin_transaction():
    context.run_migrations()
