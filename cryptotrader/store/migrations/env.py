"""Alembic's entry: runs on the connection that `cryptotrader.store.migrate` hands over, never on one of its own."""

from alembic import context

from cryptotrader.store.schema import Base

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    render_as_batch=context.config.attributes["connection"].dialect.name == "sqlite",
    transactional_ddl=True,
)
with context.begin_transaction():
    context.run_migrations()
