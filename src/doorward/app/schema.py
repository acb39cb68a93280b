"""Bring a database to the shape that this version of Doorward expects."""

import sys
import tempfile
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, inspect, select
from sqlalchemy.exc import DBAPIError

from doorward.app.tables import METADATA
from doorward.core.errors import Conflict, Unavailable
from doorward.platform.engine import encrypted_sqlite
from doorward.platform.refusals import translate

MIGRATIONS = Path(__file__).parent / "migrations"
NO_RECORDS = (
    "The database of this site is missing or empty, and no new one is made in its place: mount its disk or "
    "restore a backup. If `doorward init` was cut short here, delete the folder and run it again."
)
USED = "This database holds a site already: it is not overwritten. Give the new site one that is empty."
ENTRIES = METADATA.tables["audit_entries"]


def upgrade(engine: Engine, *, is_new: bool = True, to: str = "head") -> None:
    """Run every migration that is missing, in one transaction; a newer database is refused untouched.

    So is an empty one unless it `is_new`: where there should be records, it is not filled with none.
    """
    try:
        with engine.begin() as connection:
            config = _config(connection)
            _refuse_stranger(connection, config, is_new=is_new)
            command.upgrade(config, to)
    except DBAPIError as error:
        raise translate(error) from error


def refuse_used(engine: Engine) -> None:
    """`Conflict` if the database holds a site already; one whose making was cut short holds none."""
    try:
        with engine.connect() as connection:
            has_log = inspect(connection).has_table(ENTRIES.name)
            if has_log and connection.execute(select(ENTRIES.c.position).limit(1)).first():
                raise Conflict(USED)
    except DBAPIError as error:
        raise translate(error) from error


def write_migration(message: str) -> None:
    """For developers: write the migration from the present ones to the tables in the code."""
    with tempfile.TemporaryDirectory() as folder:
        engine = encrypted_sqlite(Path(folder) / "empty.db", bytes(32))
        upgrade(engine)
        with engine.begin() as connection:
            command.revision(_config(connection), message, autogenerate=True)
        engine.dispose()


def _config(connection: Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config


def _refuse_stranger(connection: Connection, config: Config, *, is_new: bool) -> None:
    present = MigrationContext.configure(connection).get_current_revision()
    if present is None and not is_new:
        raise Unavailable(NO_RECORDS)
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    if present is not None and present not in known:
        raise Conflict("This site was written by a newer Doorward: install that version to open it.")


if __name__ == "__main__":
    write_migration(sys.argv[1])
