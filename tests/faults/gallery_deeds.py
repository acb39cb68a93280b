"""What changes the gallery of faces, one deed in a process of its own, whose power fails at a step."""

import os
import resource
from collections.abc import Callable
from pathlib import Path

from faker import Faker

from doorward.app.house import House, open_house
from doorward.gallery import service, store
from doorward.gallery.model import Block, State
from doorward.people.model import Basis
from doorward.people.service import NewPerson, add_person, enrol_face, forget_person
from doorward.platform.db import Unit
from tests.faults.plug import Plug
from tests.people.office import photos

NEWCOMER, CHANGED = 50, 70  # faces
HALF_A_BLOCK = 1 << 19


def main(words: list[str]) -> None:
    """A deed at the site in a folder; `step` says when power fails, or "small": no file may grow."""
    deed, folder, step, person_id = words
    house = open_house(Path(folder))
    before, act = DEEDS[deed]
    before(house)
    if step == "small":
        resource.setrlimit(resource.RLIMIT_FSIZE, (HALF_A_BLOCK, resource.RLIM_INFINITY))
    else:
        Plug(step, "").watch(house.database.engine)
    act(house, person_id)
    house.close()


def come(house: House) -> str:
    """Somebody new, with a face."""
    with house.unit() as unit:
        person = add_person(unit, house.vault, NewPerson(name=Faker().name(), basis=Basis.CONSENT))
        shown = photos(NEWCOMER)
        enrol_face(unit, house.recogniser, person.id, shown, basis=Basis.CONSENT, notice="1")
    return person.id


def change(house: House, person_id: str) -> None:
    with house.unit() as unit:
        shown = photos(CHANGED)
        enrol_face(unit, house.recogniser, person_id, shown, basis=Basis.CONSENT, notice="1")


def go(house: House, person_id: str) -> None:
    with house.unit() as unit:
        forget_person(unit, house.recogniser, person_id)


def clear(house: House) -> None:
    with house.unit() as unit:
        service.clear_forgotten(unit, house.keyholder)


def begin(house: House) -> None:
    with house.unit() as unit:
        service.begin_rekey(unit, house.keyholder)


def go_on(house: House) -> None:
    with house.unit() as unit:
        service.go_on(unit, house.keyholder)


def retire(house: House) -> None:
    is_done = False
    while not is_done:
        with house.unit() as unit:
            is_done = service.clear_retired(unit)


def sweep(house: House) -> None:
    with house.unit() as unit:
        service.sweep_blocks(unit, house.keyholder)


def trust(house: House) -> None:
    with house.unit() as unit:
        service.trust_again(unit, house.keyholder)


def soil(house: House) -> None:
    """As if a block could not be sealed anew when somebody was forgotten."""
    with house.unit() as unit:
        for block in blocks_of(unit, house):
            store.mark_block(unit.rows, block, living=block.living, dirty=True)


def age(house: House) -> None:
    """All objects are an hour old, and two that nobody names are among them."""
    folder = gallery(house.folder)
    for digest in ("ab" * 32, "cd" * 32):
        (folder / digest[:2]).mkdir(mode=0o700, exist_ok=True)
        (folder / digest[:2] / digest).write_bytes(bytes(8192))
    for path in folder.glob("*/*"):
        os.utime(path, (path.stat().st_mtime - 3600,) * 2)


def doubt(house: House) -> None:
    """An answer was forged, and the disk has spoilt a block."""
    with house.unit() as unit:
        current = store.find_generation(unit.rows, house.site_id, State.CURRENT)
        assert current is not None
        store.change_generation(unit.rows, current.id, distrusted_at=unit.now)
        for block in blocks_of(unit, house):
            path = gallery(house.folder) / block.digest[:2] / block.digest
            path.unlink()


def blocks_of(unit: Unit, house: House) -> list[Block]:
    current = store.find_generation(unit.rows, house.site_id, State.CURRENT)
    return store.list_blocks(unit.rows, current.id) if current else []


def gallery(folder: Path) -> Path:
    return folder / "data" / "gallery"


def nothing(_house: House) -> None:
    pass


def also(*deeds: Callable[[House], object]) -> Callable[[House], None]:
    def all_of(house: House) -> None:
        for deed in deeds:
            deed(house)

    return all_of


def about_all(deed: Callable[[House], object]) -> Callable[[House, str], object]:
    return lambda house, _person_id: deed(house)


DEEDS: dict[str, tuple[Callable[[House], object], Callable[[House, str], object]]] = {
    "enrol": (nothing, about_all(come)),
    "update": (nothing, change),
    "forget": (nothing, go),
    "clear": (soil, about_all(clear)),
    "begin": (nothing, about_all(begin)),
    "fill": (begin, about_all(go_on)),
    "flip": (also(begin, go_on), about_all(go_on)),
    "retire": (also(begin, go_on, go_on), about_all(retire)),
    "sweep": (age, about_all(sweep)),
    "trust": (doubt, about_all(trust)),
}
