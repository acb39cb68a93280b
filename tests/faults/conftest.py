import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.processes import Zygote
from tests.faults.site import Facts, Site, furnish


@pytest.fixture(scope="session")
def zygote() -> Iterator[Zygote]:
    made = Zygote()
    yield made
    made.close()


@pytest.fixture(scope="session")
def furnished(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Facts]:
    folder = tmp_path_factory.mktemp("furnished") / "site"
    return folder, furnish(folder)


@pytest.fixture
def site(tmp_path: Path, zygote: Zygote, furnished: tuple[Path, Facts]) -> Site:
    template, facts = furnished
    shutil.copytree(template, tmp_path / "site")
    return Site(tmp_path / "site", zygote, facts, tmp_path)
