import os
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from doorward.app.tables import METADATA
from doorward.core.permissions import EVERY_RIGHT, Actor
from doorward.platform.db import Database
from doorward.platform.engine import encrypted_sqlite
from doorward.vault.drivers.custodians import FileCustodian
from doorward.vault.drivers.objects import FolderObjects
from doorward.vault.service import Vault

NOON = datetime(2030, 1, 7, 12, tzinfo=UTC)
SITE = "site_test"
GUARD = Actor("staff_guard", {SITE: EVERY_RIGHT})


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
def database(tmp_path: Path, clock: Callable[[], datetime]) -> Iterator[Database]:
    engine = encrypted_sqlite(tmp_path / "doorward.db", bytes(range(32)))
    METADATA.create_all(engine)
    yield Database(engine, clock)
    engine.dispose()


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
