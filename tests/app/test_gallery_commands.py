"""`doorward gallery` as people and programs use it, on a site whose faces are made up."""

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from doorward.app.house import open_house
from doorward.app.wiring import build_worker
from doorward.gallery.service import begin_rekey
from doorward.people import service as people
from doorward.people.model import Basis
from doorward.people.service import NewPerson
from doorward.people.service.enrolment import identify_face
from tests.gallery.site import Liar, one_word, spoil
from tests.journeys.conftest import Terminal
from tests.people.office import near, photos


@pytest.fixture
def doorward(tmp_path: Path) -> Iterator[Terminal]:
    """The commands on a site with three people."""
    terminal = Terminal(tmp_path / "site")
    assert terminal("init").code == 0
    house = open_house(terminal.folder)
    with house.unit() as unit:
        for seed in range(3):
            person = people.add_person(unit, house.vault, NewPerson(name="Ada", basis=Basis.CONSENT))
            people.enrol_face(
                unit, house.recogniser, person.id, photos(seed), basis=Basis.CONSENT, notice="1"
            )
    house.close()
    yield terminal


def known(terminal: Terminal, seed: int = 1, *, forged: bool = False) -> bool:
    house = open_house(terminal.folder)
    if forged:
        house.keyholder.matcher = Liar(house.keyholder.matcher, one_word)
    with house.unit() as unit:
        found = identify_face(unit, house.recogniser, near(seed, 9), one_in=1000)
    house.close()
    return found is not None


def waived(terminal: Terminal) -> list[str]:
    lines = terminal("audit", "list", "--event", "approval.waived").lines
    return [line["facts"]["action"] for line in lines]


def test_it_shows_sizes_and_states_to_people_and_to_programs(doorward: Terminal) -> None:
    told = doorward("gallery", "show").one
    assert (told["faces"], told["blocks"], told["bytes"]) == (3, 1, 1 << 20)
    assert (told["trusted"], told["renewing"], told["waiting"], told["days"]) == (True, False, 0, 0)
    code, out, _ = doorward.plain("gallery", "show")
    assert code == 0 and "faces" in out and "distrusted at" in out


def test_an_empty_gallery_is_shown_and_not_renewed(tmp_path: Path) -> None:
    empty = Terminal(tmp_path / "site")
    empty("init")
    assert empty("gallery", "show").one["gallery"] is None
    assert empty("gallery", "renew").code == 6
    assert empty("gallery", "trust").code == 6
    assert empty("gallery", "check").one == {"blocks": 0, "mended": 0}


def test_everything_is_renewed_here_where_no_server_runs(doorward: Terminal) -> None:
    before = doorward("gallery", "show").one["gallery"]
    told = doorward("gallery", "renew").one
    assert (told["former"], told["faces"]) == (before, 3) and told["gallery"] != before
    after = doorward("gallery", "show").one
    assert (after["gallery"], after["renewing"]) == (told["gallery"], False)
    assert known(doorward)
    assert waived(doorward) == ["gallery.renew"]


def test_a_renewal_that_was_stopped_goes_on(doorward: Terminal) -> None:
    house = open_house(doorward.folder)
    with house.unit() as unit:
        begin_rekey(unit, house.keyholder)
    house.close()
    assert doorward("gallery", "show").one["renewing"]
    assert doorward("gallery", "renew").one["faces"] == 3
    assert not doorward("gallery", "show").one["renewing"]


def test_stopping_a_renewal_says_what_stays(doorward: Terminal) -> None:
    words = ["gallery", "renew", "--wait", "--folder", str(doorward.folder)]
    program = f"from doorward.app.cli import main; main({words!r})"
    with subprocess.Popen([sys.executable, "-c", program], stderr=subprocess.PIPE, text=True) as waiting:
        until = time.monotonic() + 60
        while not doorward("gallery", "show").one["renewing"]:
            assert time.monotonic() < until
        waiting.send_signal(signal.SIGINT)
        _, aside = waiting.communicate(timeout=60)
    assert waiting.returncode == 1 and "repeat the command" in aside
    assert doorward("gallery", "renew").code == 0


def test_a_running_server_renews_while_the_command_waits(doorward: Terminal) -> None:
    house = open_house(doorward.folder)
    worker = build_worker(house)
    worker.start()
    try:
        assert doorward("gallery", "renew", "--wait").one["faces"] == 3
    finally:
        worker.stop()
        house.close()
    assert known(doorward)


def test_waiting_without_a_server_ends_and_the_renewal_can_be_done_here(doorward: Terminal) -> None:
    waited = doorward("gallery", "renew", "--wait", "--patience", "0.5")
    assert waited.code == 7 and "doorward gallery renew" in waited.aside
    assert doorward("gallery", "renew").code == 0


def test_a_forged_answer_is_shown_until_somebody_trusts_again(doorward: Terminal) -> None:
    assert doorward("gallery", "trust").code == 6
    assert not known(doorward, forged=True)
    code, _, aside = doorward.plain("gallery", "show")
    assert code == 0 and "doorward gallery trust" in aside
    assert not doorward("gallery", "show").one["trusted"]
    assert not known(doorward)
    assert doorward("gallery", "trust").one["mended"] == 0
    assert known(doorward)
    assert waived(doorward) == ["gallery.trust"]


def test_a_check_mends_damaged_blocks(doorward: Terminal) -> None:
    assert doorward("gallery", "check").one == {"blocks": 1, "mended": 0}
    for path in (doorward.folder / "data" / "gallery").rglob("*"):
        if path.is_file():
            spoil(path)
    assert doorward("gallery", "check").one == {"blocks": 1, "mended": 1}
    assert known(doorward) and doorward("gallery", "check").one["mended"] == 0


def test_a_sweep_leaves_what_is_young(doorward: Terminal) -> None:
    assert doorward("gallery", "sweep").one == {"blocks": 0}
