from pathlib import Path

import pytest

from doorward.platform.db import Database
from doorward.vault.service import Vault
from tests.conftest import SteppingClock
from tests.people.office import Office, made_up_names
from tests.searching import recogniser_at


@pytest.fixture
def office(database: Database, clock: SteppingClock, vault: Vault, tmp_path: Path) -> Office:
    folder = tmp_path / "gallery"
    return Office(database, clock, vault, recogniser_at(vault, folder), made_up_names(), folder)
