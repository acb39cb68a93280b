import os
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine

from doorward.app.tables import METADATA
from doorward.core.permissions import EVERY_RIGHT, Actor
from doorward.platform.db import Database
from doorward.platform.engine import encrypted_sqlite, postgres
from doorward.vault.drivers.custodians import FileCustodian
from doorward.vault.drivers.objects import FolderObjects
from doorward.vault.service import Vault

from .postgres import Grown, grown_server, wipe

NOON = datetime(2030, 1, 7, 12, tzinfo=UTC)
SITE = "site_test"
GUARD = Actor("staff_guard", {SITE: EVERY_RIGHT})
ON_BOTH = ("audit", "gates", "people", "platform")
# What these show has nothing to do with where rows lie.
ON_ONE = ("test_enrolment_on_photos", "test_nothing_in_the_clear", "test_staff_attacks", "test_staff_browser")


class SteppingClock:
    """A clock that moves only when told to."""

    def __init__(self, start: datetime = NOON) -> None:
        self.now = start

    def __call__(self) -> datetime:
        return self.now

    def advance(self, **by: float) -> None:
        self.now += timedelta(**by)


@pytest.fixture
def clock() -> SteppingClock:
    return SteppingClock()


@pytest.fixture
def database(request: pytest.FixtureRequest, clock: Callable[[], datetime]) -> Iterator[Database]:
    """An empty one: an encrypted file, or PostgreSQL."""
    if getattr(request, "param", "sqlite") == "postgres":
        yield Database(request.getfixturevalue("grown_engine"), clock)
        return
    engine = encrypted_sqlite(request.getfixturevalue("tmp_path") / "doorward.db", bytes(range(32)))
    METADATA.create_all(engine)
    yield Database(engine, clock)
    engine.dispose()


@pytest.fixture(scope="session")
def grown() -> Iterator[Grown]:
    """The PostgreSQL server of this test process."""
    with grown_server() as server:
        yield server


@pytest.fixture(scope="session")
def _tables(grown: Grown) -> Iterator[Engine]:
    engine = postgres(grown.new_database())
    METADATA.create_all(engine)
    yield engine
    engine.dispose()


@pytest.fixture
def grown_engine(_tables: Engine) -> Iterator[Engine]:
    """All tables on PostgreSQL, empty."""
    yield _tables
    wipe(_tables)


@pytest.fixture
def vault(tmp_path: Path) -> Vault:
    keys = tmp_path / "keys"
    return Vault.create(keys, FileCustodian(keys / "root.key"), FolderObjects(tmp_path / "objects"))


@pytest.fixture
def real_data() -> Path:
    folder = os.environ.get("DOORWARD_DATA")
    if not folder or not Path(folder).is_dir():
        pytest.skip("needs real images: point DOORWARD_DATA at them")
    return Path(folder)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Stores and services of these rooms keep their rows in a file and on PostgreSQL, one after the other."""
    path, marks = metafunc.definition.path, metafunc.definition.iter_markers("parametrize")
    chosen = path.parent.name in ON_BOTH and path.stem not in ON_ONE
    if chosen and "database" in metafunc.fixturenames and "database" not in {mark.args[0] for mark in marks}:
        metafunc.parametrize("database", ["sqlite", "postgres"], indirect=True)
