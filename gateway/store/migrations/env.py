"""Alembic's entry point: run the migrations on the connection of `store.base.upgrade`."""

from alembic import context

from gateway.store.base.tables import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
with context.begin_transaction():
    context.run_migrations()
