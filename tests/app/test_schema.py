from pathlib import Path

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from doorward.app.schema import upgrade
from doorward.app.tables import METADATA
from doorward.platform.engine import encrypted_sqlite


def test_the_migrations_lead_to_the_tables_in_the_code(tmp_path: Path) -> None:
    engine = encrypted_sqlite(tmp_path / "doorward.db", bytes(32))
    upgrade(engine)
    upgrade(engine)
    with engine.begin() as connection:
        found = compare_metadata(MigrationContext.configure(connection), METADATA)
    engine.dispose()
    assert not found, 'run `make migration what="..."`'
