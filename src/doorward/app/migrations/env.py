"""Alembic's entry: runs inside the connection that `app.schema` hands over."""

from alembic import context

from doorward.app.tables import METADATA

connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=METADATA,
    render_as_batch=connection.dialect.name == "sqlite",
    compare_type=True,
    user_module_prefix="doorward.platform.types.",
)
with context.begin_transaction():
    context.run_migrations()
