from pathlib import Path

import pytest

from doorward.platform.db import Database
from doorward.vault.service import Vault
from tests.conftest import SteppingClock
from tests.gallery.site import Site


@pytest.fixture
def site(database: Database, clock: SteppingClock, vault: Vault, tmp_path: Path) -> Site:
    return Site(database, clock, vault, tmp_path / "gallery")
