"""Bring a database to the shape that this version of Doorward expects."""

import sys
import tempfile
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError

from doorward.core.errors import Conflict
from doorward.platform.db import translate
from doorward.platform.engine import encrypted_sqlite

MIGRATIONS = Path(__file__).parent / "migrations"


def upgrade(engine: Engine) -> None:
    """Run every migration that is missing, in one transaction; a newer database is refused untouched."""
    try:
        with engine.begin() as connection:
            config = _config(connection)
            _refuse_newer(connection, config)
            command.upgrade(config, "head")
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


def _refuse_newer(connection: Connection, config: Config) -> None:
    present = MigrationContext.configure(connection).get_current_revision()
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    if present is not None and present not in known:
        raise Conflict("This site was written by a newer Doorward: install that version to open it.")


if __name__ == "__main__":
    write_migration(sys.argv[1])
