from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.matcher.world import OPENED, Decider, Raw, Running, serving


@pytest.fixture(scope="package")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("matcher")


@pytest.fixture(scope="package")
def decider(place: Path) -> Decider:
    return Decider(place / "decider")


@pytest.fixture(scope="package")
def other(place: Path) -> Decider:
    return Decider(place / "other", seed=2)


@pytest.fixture(scope="package")
def running(place: Path, decider: Decider, other: Decider) -> Iterator[Running]:
    """One matcher with its own certificate, for all tests that do it no harm."""
    with serving(place / "matcher", decider, other) as it:
        yield it


@pytest.fixture(scope="package")
def plain(place: Path, decider: Decider) -> Iterator[Running]:
    """One without TLS, for whoever looks at single bytes."""
    with serving(place / "plain", decider, tls=False, searches_at_once=1, waiting=1, most_blocks=6) as it:
        yield it


@pytest.fixture(autouse=True)
def _closed() -> Iterator[None]:
    yield
    while OPENED:
        OPENED.pop().close()


@pytest.fixture
def raw(plain: Running, decider: Decider) -> Raw:
    return Raw(plain, decider)
