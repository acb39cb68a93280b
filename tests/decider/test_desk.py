"""The decider's own deeds, in this process and on a clock that moves when told to."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import text

from doorward.app.decider.desk import DecidingDesk
from doorward.app.decider.keys import face_keys_of
from doorward.app.decider.making import make_decider
from doorward.app.house import House
from doorward.core.errors import Invalid, Unavailable
from doorward.core.key_files import public_text
from doorward.core.permissions import Actor
from doorward.gallery import service as gallery
from doorward.gallery.service.keeping import kept_templates
from doorward.matching import messages
from doorward.people.drivers.remote_decider import RemoteDecider
from doorward.people.service.deciding import FORGET_THERE, reconcile, tell_forgotten
from doorward.people.service.recogniser import Recogniser
from doorward.platform.db import Database
from doorward.platform.jobs import run_due
from doorward.vault.model import Purpose
from doorward.vault.service import Vault, find_receipt
from doorward.vision.thresholds import face_threshold
from tests.conftest import GUARD, SITE, SteppingClock
from tests.gallery.site import near as so_like
from tests.people.office import Office, direction, made_up_names, near


class ShortLine:
    """The desk at the other end, without a wire between."""

    def __init__(self, desk: DecidingDesk) -> None:
        self.routes = desk.routes()

    def ask(self, name: str, body: bytes, longest: int, *, seconds: float | None = None) -> bytes:
        reply = self.routes[f"/v1/{name}"].deed(b"", body)
        answer = b"".join(reply.parts)
        assert len(answer) <= longest
        if reply.status != 200:
            raise Unavailable("refused", code=messages.decode_fault(answer))
        return answer

    def close(self) -> None: ...


class NoLine:
    """Nobody at the other end."""

    def ask(self, name: str, body: bytes, longest: int, *, seconds: float | None = None) -> bytes:
        raise Unavailable("away")

    def close(self) -> None: ...


@pytest.fixture
def there(tmp_path: Path, clock: SteppingClock) -> Iterator[House]:
    key = public_text(Ed25519PrivateKey.generate())
    house = make_decider(
        tmp_path / "decider", clock, servers=[key], host="127.0.0.1", port=8445, names=["decider.example"]
    )
    with closing(house):
        yield house


def asking(house: House) -> RemoteDecider:
    return RemoteDecider(ShortLine(DecidingDesk(house)), face_keys_of(house.vault, Purpose.DECIDER).public)


@pytest.fixture
def office(database: Database, clock: SteppingClock, vault: Vault, tmp_path: Path, there: House) -> Office:
    decider = Recogniser(vault, asking(there))
    return Office(database, clock, vault, decider, made_up_names(), tmp_path / "gallery")


def faces_there(house: House) -> int:
    with house.database.unit(GUARD, SITE) as unit:
        return gallery.count(unit, house.keyholder)


def decider_of(office: Office) -> RemoteDecider:
    matcher = office.recogniser.matcher
    assert isinstance(matcher, RemoteDecider)
    return matcher


def test_whom_a_rolled_back_unit_left_is_forgotten_once_that_is_sure(office: Office, there: House) -> None:
    known = office.known(1)
    with pytest.raises(RuntimeError), office.unit() as unit:
        decider_of(office).enrol(unit, {"person_ghost": direction(2)})
        raise RuntimeError
    assert faces_there(there) == 2
    assert office.who(2) is None  # nobody is told who is not enrolled here
    with office.unit() as unit:
        assert reconcile(unit, decider_of(office)) == 0  # it may belong to a unit that is not done
    office.clock.advance(minutes=11)
    with office.unit() as unit:
        assert reconcile(unit, decider_of(office)) == 1
    assert (faces_there(there), office.who(1)) == (1, known)


def test_reconciling_reads_page_after_page(office: Office, there: House) -> None:
    strangers = {f"person_{number:04}": direction(number) for number in range(1200)}
    with office.unit() as unit:
        decider_of(office).enrol(unit, strangers)
    office.clock.advance(minutes=11)
    with office.unit() as unit:
        assert reconcile(unit, decider_of(office)) == 1200
    assert faces_there(there) == 0


def test_whoever_it_lost_is_told_as_unreadable(office: Office, there: House) -> None:
    person_id = office.known(1)
    with office.unit() as unit:
        decider_of(office).forget_there(unit, [person_id])
        assert office.recogniser.unreadable(unit) == {person_id}


def test_to_forget_leaves_a_receipt_and_nothing_to_open(office: Office, there: House) -> None:
    person_id, other = office.known(1), office.known(2)
    with there.database.unit(GUARD, SITE) as unit:
        kept = unit.rows.execute(text("SELECT subject_id, key_id FROM gallery_templates")).all()
        found = {row.subject_id: row.key_id for row in kept}
    with office.unit() as unit:
        tell_forgotten(unit, decider_of(office), [person_id, other])  # of enrolled people it tells nothing
    assert faces_there(there) == 2
    with office.unit() as unit:
        decider_of(office).forget_there(unit, [person_id, "person_nobody"])
        decider_of(office).forget_there(unit, [person_id])
    with there.database.unit(GUARD, SITE) as unit:
        assert find_receipt(unit, found[person_id]).body["subject_id"] == found[person_id]
        assert not kept_templates(there.vault, unit, [person_id])
        assert set(kept_templates(there.vault, unit, [person_id, other])) == {other}
    assert (office.who(1), office.who(2)) == (None, other)


def test_its_gallery_is_made_anew_from_its_own_templates(office: Office, there: House) -> None:
    people = [office.known(seed) for seed in range(3)]
    for path in (there.folder / "data" / "gallery").rglob("*"):
        if path.is_file():
            path.chmod(0o600)
            path.write_bytes(b"broken")
    there.keyholder._held.clear()
    assert [office.who(seed) for seed in range(3)] == people


def test_it_promises_at_least_what_its_own_settings_say(office: Office, there: House) -> None:
    least, asked = 100_000, 50
    strict = there.settings.deciding.model_copy(update={"least_one_in": least})
    decider = asking(replace(there, settings=there.settings.model_copy(update={"deciding": strict})))
    cuts = [face_threshold(one_in=one_in, gallery_size=1) for one_in in (least, asked)]
    unlike = so_like(1, 1, cosine=sum(cuts) / 2)
    person_id = office.known(1)
    with office.unit() as unit:
        decider.enrol(unit, {person_id: direction(1)})
        assert decider.identify(unit, unlike, one_in=asked) is None
        assert not decider.verify(unit, person_id, unlike, one_in=asked)
        assert decider_of(office).identify(unit, unlike, one_in=asked) == person_id
        assert decider.identify(unit, so_like(1, 1, cosine=0.9), one_in=asked) == person_id


def test_refusals_are_counted_by_requester_and_names_are_few(office: Office, there: House) -> None:
    person_id, decider = office.known(1), decider_of(office)
    stranger = near(50)

    def ask(name: str, face_of: int | None = None) -> str | None:
        face = stranger if face_of is None else near(face_of)
        with office.database.unit(Actor(name), SITE) as unit:
            found = decider.identify(unit, face, one_in=1000)
            doubts.append(decider.doubt(unit))
            return found

    doubts: list[object] = []
    for _ in range(60):
        assert ask("agent_1") is None
    assert (ask("agent_1", 1), doubts[-1]) == (None, "asked-too-often")
    assert (ask("agent_2", 1), doubts[-1]) == (person_id, None)
    for number in range(255):
        ask(f"agent_new_{number}")
    assert (ask("agent_one_more", 1), doubts[-1]) == (None, "asked-too-often")
    office.clock.advance(seconds=3)
    assert (ask("agent_one_more", 1), doubts[-1]) == (person_id, None)


def test_a_template_that_is_none_is_refused(office: Office, there: House) -> None:
    with office.unit() as unit, pytest.raises(Invalid):
        decider_of(office).enrol(unit, {"person_x": direction(1) * 9})
    assert faces_there(there) == 0


def test_the_promise_to_forget_is_never_given_up(office: Office, there: House) -> None:
    person_id, decider = office.known(1), decider_of(office)
    with office.unit() as unit:
        decider.forget(unit, [person_id])
    assert faces_there(there) == 1
    with office.unit() as unit:
        unit.rows.execute(text("DELETE FROM people_templates"))
    away = RemoteDecider(NoLine(), decider.face_key())

    def kept_by(asked: RemoteDecider) -> int:
        office.clock.advance(minutes=1)
        tell = {FORGET_THERE: lambda unit, facts: tell_forgotten(unit, asked, facts["subject_ids"])}
        return run_due(office.database, tell)

    assert [kept_by(away) for _ in range(12)] == [1] * 12
    assert faces_there(there) == 1
    assert (kept_by(decider), kept_by(decider)) == (1, 0)
    assert faces_there(there) == 0
