import pytest

from doorward.platform.db import Database
from tests.conftest import SteppingClock
from tests.gates.scene import Scene


@pytest.fixture
def scene(database: Database, clock: SteppingClock) -> Scene:
    return Scene(database, clock)
