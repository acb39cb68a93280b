import itertools
from collections.abc import Iterator

import pytest

from tests.decider.world import Running, Site, apart

SEEDS = itertools.count(1000)


@pytest.fixture(scope="package")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Running, Site]]:
    """One decider and one site, for all tests that leave them whole."""
    with apart(tmp_path_factory.mktemp("apart")) as it:
        yield it


@pytest.fixture
def running(both: tuple[Running, Site]) -> Iterator[Running]:
    yield both[0]
    if both[0].process is None:
        both[0].start()


@pytest.fixture
def site(both: tuple[Running, Site]) -> Site:
    return both[1]


@pytest.fixture
def seed() -> int:
    """A face that no other test shows."""
    return next(SEEDS)
