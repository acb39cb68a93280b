from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Engine, MetaData, Table, insert, inspect, select

from doorward.app.schema import upgrade
from doorward.app.tables import METADATA
from doorward.core.errors import Unavailable
from doorward.platform.engine import encrypted_sqlite, postgres

FIRST = "2446b9e67ae1"
SINCE = datetime(2030, 1, 7, 12, tzinfo=UTC)


@pytest.fixture(params=["sqlite", "postgres"])
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    """An empty database of either kind."""
    if request.param == "sqlite":
        made = encrypted_sqlite(tmp_path / "doorward.db", bytes(32))
    else:
        made = postgres(request.getfixturevalue("grown").new_database())
    yield made
    made.dispose()


def differences(engine: Engine) -> Any:
    """Between the tables there and those in the code."""
    with engine.begin() as connection:
        return compare_metadata(MigrationContext.configure(connection), METADATA)


def test_the_migrations_lead_to_the_tables_in_the_code(engine: Engine) -> None:
    upgrade(engine)
    upgrade(engine)
    assert not differences(engine), 'run `make migration what="..."`'


def some_row(table: Table) -> dict[str, Any]:
    """Something in every column that must hold something."""
    made_up = {"bool": True, "int": 1, "str": "a", "bytes": b"a", "datetime": SINCE}
    asked = [column for column in table.columns if not column.nullable]
    return {column.name: made_up[column.type.python_type.__name__] for column in asked}


def fill(engine: Engine) -> dict[str, dict[str, Any]]:
    """One row in each table that there is; what it says."""
    found = MetaData()
    with engine.begin() as connection:
        found.reflect(connection)
        tables = {name: table for name, table in found.tables.items() if name in METADATA.tables}
        rows = {name: some_row(table) for name, table in tables.items()}
        for name, row in rows.items():
            connection.execute(insert(tables[name]), row)
    return rows


def test_rows_from_the_very_first_version_are_kept_by_every_migration(engine: Engine) -> None:
    upgrade(engine, to=FIRST)
    rows = fill(engine)
    upgrade(engine, is_new=False)
    assert len(rows) > 30 and not differences(engine)
    with engine.begin() as connection:
        for name, row in rows.items():
            [kept] = connection.execute(select(*(METADATA.tables[name].c[column] for column in row)))
            assert tuple(kept) == tuple(row.values()), name


def test_an_empty_database_is_not_taken_for_one_that_held_records(engine: Engine) -> None:
    with pytest.raises(Unavailable):
        upgrade(engine, is_new=False)
    assert inspect(engine).get_table_names() == []
