import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from doorward.app.house import open_house
from doorward.people.model import Basis
from doorward.people.service import enrol_face
from tests.faults.processes import Zygote
from tests.faults.site import Facts, Site, employ, furnish
from tests.people.office import photos

FACES = (1, 2, 3)


@pytest.fixture(scope="session")
def zygote() -> Iterator[Zygote]:
    made = Zygote()
    yield made
    made.close()


@pytest.fixture(scope="session")
def furnished(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Facts]:
    folder = tmp_path_factory.mktemp("furnished") / "site"
    return folder, furnish(folder)


@pytest.fixture(scope="session")
def peopled(furnished: tuple[Path, Facts], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same with three faces; whose they are lies beside it."""
    folder = tmp_path_factory.mktemp("peopled") / "site"
    shutil.copytree(furnished[0], folder)
    house = open_house(folder)
    for face in FACES:
        with house.unit() as unit:
            person_id = employ(unit, house, f"04AABBCCDDE{face}")
            enrol_face(unit, house.recogniser, person_id, photos(face), basis=Basis.CONSENT, notice="1")
        (folder.parent / str(face)).write_text(person_id)
    house.close()
    return folder


@pytest.fixture
def ids(peopled: Path) -> dict[int, str]:
    """Whose faces the site knows: a test that asks gets a site that knows some."""
    return {face: (peopled.parent / str(face)).read_text() for face in FACES}


@pytest.fixture
def site(
    request: pytest.FixtureRequest, tmp_path: Path, zygote: Zygote, furnished: tuple[Path, Facts]
) -> Site:
    template, facts = furnished
    if "ids" in request.fixturenames:
        template = request.getfixturevalue("peopled")
    shutil.copytree(template, tmp_path / "site")
    return Site(tmp_path / "site", zygote, facts, tmp_path)
