from functools import cache
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from benchmarks._unlinkability import photographed
from doorward.platform.db import Database
from doorward.vault.service import Vault
from tests.conftest import SteppingClock
from tests.gallery.site import Site, direction

PHOTOGRAPHED = 150  # people, two photos each
MADE_UP = 600
of_photos = cache(photographed)


@pytest.fixture
def site(database: Database, clock: SteppingClock, vault: Vault, tmp_path: Path) -> Site:
    return Site(database, clock, vault, tmp_path / "gallery")


@pytest.fixture(params=["made up", "photographed"])
def faces(request: pytest.FixtureRequest) -> NDArray[np.float32]:
    """Templates (any, 128): random directions, or of real photos."""
    if request.param == "made up":
        return np.stack([direction(seed) for seed in range(MADE_UP)])
    folder: Path = request.getfixturevalue("real_data") / "faces_lfw"
    if not folder.is_dir():
        pytest.skip("needs photos: DOORWARD_DATA/faces_lfw/PERSON/PHOTO.jpg")
    shot = of_photos(folder, PHOTOGRAPHED)
    return np.concatenate([shot.first, shot.second])
