"""The encrypted search over HTTP: sizes and states for whoever keeps keys, weighty deeds by two people."""

import json
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from doorward.app.wiring import build_handlers
from doorward.audit.service import list_entries
from doorward.gallery import store
from doorward.gallery.model import State
from doorward.gallery.store.tables import BLOCKS
from doorward.matching.parameters import BLOCK_SIZE
from doorward.people import service as people
from doorward.people.model import Basis
from doorward.people.service import NewPerson
from doorward.people.service.enrolment import identify_face
from doorward.platform.jobs import run_due
from doorward.platform.paging import PageRequest
from tests.conftest import SteppingClock
from tests.gallery.site import Liar, one_word, spoil
from tests.people.household import HERE, Household
from tests.people.office import near, photos

GALLERY = f"{HERE}/gallery"


@pytest.fixture
def home(tmp_path: Path, clock: SteppingClock) -> Iterator[Household]:
    made = Household(tmp_path / "site", clock)
    with made.house.unit() as unit:
        for seed in range(3):
            person = people.add_person(unit, made.house.vault, NewPerson(name="Ada", basis=Basis.CONSENT))
            people.enrol_face(
                unit, made.house.recogniser, person.id, photos(seed), basis=Basis.CONSENT, notice="1"
            )
    yield made
    made.house.close()


def known(home: Household, seed: int = 1) -> bool:
    with home.house.unit() as unit:
        return identify_face(unit, home.house.recogniser, near(seed, 9), one_in=1000) is not None


def forge(home: Household) -> None:
    """One search whose answer was changed on its way."""
    honest = home.house.keyholder.matcher
    home.house.keyholder.matcher = Liar(honest, one_word)
    assert not known(home)
    home.house.keyholder.matcher = honest


def files(tmp_path: Path) -> list[Path]:
    return [path for path in (tmp_path / "site" / "data" / "gallery").rglob("*") if path.is_file()]


def events(home: Household, event: str) -> Sequence[dict[str, object]]:
    with home.house.unit() as unit:
        found = list_entries(unit, PageRequest(None, 50), event=event).items
    return [json.loads(one.facts) for one in found]


def work(home: Household) -> None:
    while run_due(home.house.database, build_handlers(home.house)):
        pass


def test_it_tells_sizes_and_states(home: Household) -> None:
    told = home.done("ada", "GET", GALLERY)
    assert (told["faces"], told["blocks"], told["bytes"]) == (3, 1, BLOCK_SIZE * 128 * 4)
    assert told["scheme"] == "own"
    assert (told["trusted"], told["renewing"], told["waiting"], told["renewed"]) == (True, False, 0, 0)
    assert told["made_at"].startswith("2030-01-07T12:0")


def test_whoever_may_enrol_faces_may_not_ask(home: Household) -> None:
    for method, path in (("GET", ""), ("POST", "/renewals"), ("POST", "/trust"), ("POST", "/checks")):
        home.refused("cyd", method, GALLERY + path, {} if method == "POST" else None)
    assert home.ask("cyd", "POST", "/api/v1/gallery/sweeps").status_code == 404, "this is about every site"


def test_a_renewal_takes_two_people_and_is_done_by_jobs_once(home: Household) -> None:
    before = home.done("ada", "GET", GALLERY)["gallery"]
    told = home.refused("ada", "POST", f"{GALLERY}/renewals", {})
    assert "gallery.renew" in told and before in told
    body = {"approval_id": home.approved("ada", "bea", "gallery.renew", {"gallery": before})}
    assert home.done("ada", "POST", f"{GALLERY}/renewals", body)["renewing"]
    assert known(home)
    work(home)
    after = home.done("ada", "GET", GALLERY)
    assert after["gallery"] != before and (after["faces"], after["renewing"]) == (3, False)
    assert known(home)
    home.refused("ada", "POST", f"{GALLERY}/renewals", body)
    assert events(home, "gallery.rekeyed") == [{"former": before, "generation": after["gallery"], "faces": 3}]


def test_an_empty_gallery_is_not_renewed(tmp_path: Path, clock: SteppingClock) -> None:
    empty = Household(tmp_path / "site", clock)
    assert empty.done("ada", "GET", GALLERY)["gallery"] is None
    assert empty.ask("ada", "POST", f"{GALLERY}/renewals", {}).status_code == 409
    assert empty.ask("ada", "POST", f"{GALLERY}/trust", {}).status_code == 409
    assert empty.done("ada", "POST", f"{GALLERY}/checks") == {"blocks": 0, "mended": 0}
    empty.house.close()


def test_after_a_forged_answer_two_people_trust_the_matcher_again(home: Household) -> None:
    forge(home)
    told = home.done("ada", "GET", GALLERY)
    assert not told["trusted"] and told["distrusted_at"] and not known(home)
    home.refused("ada", "POST", f"{GALLERY}/trust", {})
    for wrong in ("gallery_other", told["gallery"]):
        action = "gallery.trust" if wrong == "gallery_other" else "gallery.renew"
        asked = home.approved("ada", "bea", action, {"gallery": wrong})
        home.refused("ada", "POST", f"{GALLERY}/trust", {"approval_id": asked})
    asked = home.approved("ada", "bea", "gallery.trust", {"gallery": told["gallery"]})
    assert home.done("ada", "POST", f"{GALLERY}/trust", {"approval_id": asked}) == {"mended": 0}
    assert home.done("ada", "GET", GALLERY)["trusted"] and known(home)


def test_a_renewal_does_not_make_a_matcher_trusted(home: Household) -> None:
    forge(home)
    gallery = home.done("ada", "GET", GALLERY)["gallery"]
    asked = home.approved("ada", "bea", "gallery.renew", {"gallery": gallery})
    home.done("ada", "POST", f"{GALLERY}/renewals", {"approval_id": asked})
    work(home)
    told = home.done("ada", "GET", GALLERY)
    assert told["gallery"] != gallery and not told["trusted"] and not known(home)


def test_a_check_reads_every_block_and_mends_what_is_damaged(home: Household, tmp_path: Path) -> None:
    assert known(home)
    assert home.done("ada", "POST", f"{GALLERY}/checks") == {"blocks": 1, "mended": 0}
    for block in files(tmp_path):
        with block.open("r+b") as out:  # in place: what the running server has mapped changes with it
            out.write(b"????")
    assert home.done("ada", "POST", f"{GALLERY}/checks") == {"blocks": 1, "mended": 1}
    assert [known(home, seed) for seed in range(4)] == [True, True, True, False]
    assert home.done("ada", "GET", GALLERY)["trusted"]
    assert home.done("ada", "POST", f"{GALLERY}/checks") == {"blocks": 1, "mended": 0}
    assert [one["mended"] for one in events(home, "gallery.checked")] == [0, 1, 0]
    assert len(events(home, "gallery.block-mended")) == 1


def test_a_check_finds_a_whole_block_under_another_seal(home: Household) -> None:
    """Whoever writes into the database can name another true block; its seal gives that away."""
    with home.house.unit() as unit:
        current = store.find_generation(unit.rows, unit.site_id, State.CURRENT)
        assert current is not None
        (former,) = store.list_blocks(unit.rows, current.id)
        person = people.add_person(unit, home.house.vault, NewPerson(name="Bo", basis=Basis.CONSENT))
        people.enrol_face(unit, home.house.recogniser, person.id, photos(9), basis=Basis.CONSENT, notice="1")
        (block,) = store.list_blocks(unit.rows, current.id)
        unit.rows.execute(BLOCKS.update().values(digest=former.digest))
        assert block.digest != former.digest
    assert home.done("ada", "POST", f"{GALLERY}/checks") == {"blocks": 1, "mended": 1}
    assert known(home, 9)


def test_a_check_during_a_renewal_looks_at_both_galleries(home: Household, tmp_path: Path) -> None:
    gallery = home.done("ada", "GET", GALLERY)["gallery"]
    asked = home.approved("ada", "bea", "gallery.renew", {"gallery": gallery})
    home.done("ada", "POST", f"{GALLERY}/renewals", {"approval_id": asked})
    run_due(home.house.database, build_handlers(home.house), most=1)
    assert home.done("ada", "GET", GALLERY)["renewed"] == 3
    for block in files(tmp_path):
        spoil(block)
    assert home.done("ada", "POST", f"{GALLERY}/checks") == {"blocks": 2, "mended": 2}
    work(home)
    assert known(home) and home.done("ada", "GET", GALLERY)["gallery"] != gallery


def test_a_sweep_deletes_what_nobody_names(home: Household, tmp_path: Path) -> None:
    assert home.done("ada", "POST", "/api/v1/gallery/sweeps") == {"blocks": 0}, "they are young"
    blocks = files(tmp_path)
    assert len(blocks) == 3, "one was sealed for each newcomer"
    for block in blocks:
        os.utime(block, (0, 0))
    assert home.done("ada", "POST", "/api/v1/gallery/sweeps") == {"blocks": 2}
    assert len(files(tmp_path)) == 1 and known(home)
