"""By whose cryptography a gallery is sealed: the same life under both, and the way from one to the other."""

import sys
from collections.abc import Collection, Sequence
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from doorward.app.house import create_house, open_house
from doorward.app.schedule import Worker
from doorward.app.wiring import build_handlers, build_schedule
from doorward.core.errors import Tampered, Unavailable
from doorward.gallery import service, store
from doorward.gallery.drivers.either_matcher import EitherMatcher
from doorward.gallery.drivers.local_matcher import LocalMatcher
from doorward.gallery.drivers.own_scheme import OwnScheme
from doorward.gallery.model import Generation, SchemeName, State, Wanted
from doorward.gallery.ports import Question
from doorward.gallery.rules import bytes_of_block
from doorward.matching import seal_library
from doorward.matching.matcher import Answer
from doorward.matching.parameters import MODULUS
from doorward.matching.seal_driver import PlainQuery, halves_of
from doorward.people import service as people
from doorward.people.model import Basis
from doorward.people.service import NewPerson
from doorward.platform.db import Database
from doorward.vault.service import Vault
from tests.conftest import SITE, SteppingClock
from tests.gallery.site import Liar, Site, direction, name, near, one_word, spoil
from tests.people import office
from tests.people.office import photos

KINDS = {"local": SchemeName.OWN, "seal": SchemeName.SEAL}


@pytest.fixture(params=KINDS)
def either(
    request: pytest.FixtureRequest, database: Database, clock: SteppingClock, vault: Vault, tmp_path: Path
) -> Site:
    """A site under each of the settings in turn."""
    return Site(database, clock, vault, tmp_path / "gallery", kind=request.param)


@pytest.fixture
def by_seal(site: Site) -> Site:
    """A site whose three people are sealed by SEAL."""
    sealed = site.another_process("seal")
    sealed.enrol(1, 2, 3)
    return sealed


@pytest.fixture
def without_seal(monkeypatch: pytest.MonkeyPatch) -> None:
    """As where the extra is not installed."""
    monkeypatch.setitem(sys.modules, "tenseal.sealapi", None)
    seal_library._seal.cache_clear()


def generation(site: Site, state: State = State.CURRENT) -> Generation | None:
    with site.unit() as unit:
        return store.find_generation(unit.rows, SITE, state)


def scheme(site: Site) -> SchemeName | None:
    found = generation(site)
    return found.scheme if found else None


def follow(site: Site) -> None:
    with site.unit() as unit:
        service.follow_settings(unit, site.keyholder)


def finish(site: Site) -> None:
    done = False
    while not done:
        with site.unit() as unit:
            done = service.go_on(unit, site.keyholder)
    with site.unit() as unit:
        service.clear_retired(unit)


def test_people_come_are_found_replaced_and_go(either: Site) -> None:
    other = either.another_process()
    either.enrol(1, 2, 3)
    assert scheme(either) is KINDS[either.kind]
    assert [either.who(seed) for seed in (1, 2, 3, 4)] == [name(1), name(2), name(3), None]
    assert (either.who(3, cut=0.75), either.who(3, cut=0.85)) == (name(3), None)
    assert (either.fits(1, 1), either.fits(1, 2), either.fits(4, 4)) == (True, False, False)
    assert (other.who(2), other.count()) == (name(2), 3)
    with either.unit() as unit:
        service.enrol(unit, either.keyholder, {name(1): direction(7)})
        assert service.identify(unit, either.keyholder, near(2, 1), 0.5, besides=name(2)) is None
    before = either.blocks_now()
    either.forget(2)
    (after,) = either.blocks_now()
    assert after.seal_id != before[0].seal_id
    for site in (either, other):
        assert [site.who(seed) for seed in (7, 1, 2, 3)] == [name(1), None, None, name(3)]
        assert not site.fits(2, 2)
    with either.unit() as unit:
        found = service.standing(unit)
    assert (found.faces, found.bytes) == (2, (either.folder / after.digest[:2] / after.digest).stat().st_size)


def test_a_renewal_keeps_the_scheme_and_everybody(either: Site) -> None:
    either.enrol(1, 2)
    former = generation(either)
    with either.unit() as unit:
        service.begin_rekey(unit, either.keyholder)
    either.enrol(3)
    finish(either)
    assert generation(either) != former
    assert scheme(either) is KINDS[either.kind]
    assert [either.who(seed) for seed in (1, 2, 3, 4)] == [name(1), name(2), name(3), None]


def test_a_damaged_block_is_made_anew(either: Site) -> None:
    either.enrol(1, 2)
    spoil(next(path for path in either.folder.rglob("*") if path.is_file()))
    fresh = either.another_process()
    assert [fresh.who(seed) for seed in (1, 2, 3)] == [name(1), name(2), None]
    assert either.events("gallery.block-mended") == 1


def raised(answer: Answer) -> Answer:
    """Whatever is added to the first half of a ciphertext is added to its scores."""
    face = (answer.face.astype(np.uint64) + MODULUS // 3) % MODULUS
    return Answer(face.astype(np.uint32), answer.mask)


@pytest.mark.parametrize("lie", [one_word, raised])
def test_a_forged_answer_about_a_query_in_the_clear_is_found_out_too(by_seal: Site, lie: object) -> None:
    by_seal.keyholder.matcher = Liar(by_seal.matcher, lie)  # type: ignore[arg-type]
    assert by_seal.who(99) is None
    assert by_seal.events("gallery.answer-forged") == 1
    by_seal.keyholder.matcher = by_seal.matcher
    assert by_seal.who(1) is None


def test_the_matcher_is_shown_the_rotated_face_and_holds_twice_the_bytes(by_seal: Site) -> None:
    asked = []

    class Overheard(Liar):
        def answer(self, query, shelves):  # type: ignore[no-untyped-def]
            asked.append(query)
            return super().answer(query, shelves)

    by_seal.keyholder.matcher = Overheard(by_seal.matcher, lambda answer: answer)
    assert by_seal.who(1) == name(1)
    (query,) = asked
    assert isinstance(query, PlainQuery)
    assert np.linalg.norm(query.numbers) > 100
    assert bytes_of_block(128, SchemeName.SEAL) == 2 * bytes_of_block(128, SchemeName.OWN)


@pytest.mark.parametrize(("former", "chosen"), [("local", "seal"), ("seal", "local")])
def test_another_setting_renews_into_the_other_scheme_while_gates_go_on(
    site: Site, former: str, chosen: str
) -> None:
    site.another_process(former).enrol(*range(5))
    site.forget(0)
    switched = site.another_process(chosen)
    assert switched.who(1) == name(1)
    follow(switched)
    follow(switched)
    assert switched.events("gallery.rekey-begun") == 1
    switched.enrol(9)
    assert scheme(switched) is KINDS[former]
    assert [switched.who(seed) for seed in (1, 9)] == [name(1), name(9)]
    finish(switched)
    assert scheme(switched) is KINDS[chosen]
    assert [switched.who(seed) for seed in (0, 1, 4, 9)] == [None, name(1), name(4), name(9)]
    follow(switched)
    assert generation(switched, State.FILLING) is None


def test_a_house_follows_its_settings_by_its_own_jobs(
    tmp_path: Path, clock: SteppingClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "site"
    with closing(create_house(folder, clock)) as house, house.unit() as unit:
        person = people.add_person(unit, house.vault, NewPerson(name="Ada", basis=Basis.CONSENT))
        people.enrol_face(unit, house.recogniser, person.id, photos(1), basis=Basis.CONSENT, notice="1")
    monkeypatch.setenv("DOORWARD_MATCHER__KIND", "seal")
    with closing(open_house(folder, clock)) as house:
        worker = Worker(house.database, house.site_id, build_handlers(house), build_schedule(house))
        for _ in range(5):
            worker.turn()
        with house.unit() as unit:
            found = store.find_generation(unit.rows, house.site_id, State.CURRENT)
            assert found is not None
            assert found.scheme is SchemeName.SEAL
            assert people.identify_face(unit, house.recogniser, office.near(1, 9), one_in=1000) == person.id
        monkeypatch.setitem(sys.modules, "tenseal.sealapi", None)
        seal_library._seal.cache_clear()
        assert not any("doorward[seal]" in words for words in house.warnings)  # it is loaded
    with closing(open_house(folder, clock)) as bare:
        assert any("doorward[seal]" in words for words in bare.warnings)


def test_a_setting_taken_back_gives_the_renewal_up(site: Site) -> None:
    site.enrol(1, 2)
    follow(site.another_process("seal"))
    follow(site)
    assert generation(site, State.FILLING) is None
    assert site.events("gallery.rekey-given-up") == 1
    with site.unit() as unit:
        assert service.clear_retired(unit)
    assert (scheme(site), site.who(1)) == (SchemeName.OWN, name(1))


@pytest.mark.usefixtures("without_seal")
def test_without_the_library_the_former_gallery_is_searched_on(site: Site) -> None:
    site.enrol(1)
    switched = site.another_process("seal")
    with pytest.raises(Unavailable, match=r"install doorward\[seal\]"):
        follow(switched)
    assert generation(site, State.FILLING) is None
    switched.enrol(2)
    assert (switched.who(1), switched.who(2)) == (name(1), name(2))


@pytest.mark.usefixtures("without_seal")
def test_without_the_library_a_first_face_is_refused(site: Site) -> None:
    with pytest.raises(Unavailable, match=r"install doorward\[seal\]"):
        site.another_process("seal").enrol(1)
    assert site.blocks_now() == []


def test_without_the_library_faces_are_in_doubt_and_never_unknown(
    by_seal: Site, request: pytest.FixtureRequest
) -> None:
    request.getfixturevalue("without_seal")
    for kind in KINDS:
        bare = by_seal.another_process(kind)
        with pytest.raises(Unavailable, match=r"install doorward\[seal\]"):
            bare.who(1)
        with pytest.raises(Unavailable, match=r"install doorward\[seal\]"):
            bare.fits(1, 1)
        assert bare.count() == 3
    bare.forget(2)  # at once; the block is sealed anew once the library is back
    (block,) = bare.blocks_now()
    assert block.dirty
    assert bare.count() == 2


class Elsewhere:
    """A matcher elsewhere that writes down what reaches it."""

    def __init__(self) -> None:
        self.reached: list[object] = []

    def answer(self, query: Question, shelves: Sequence[Wanted]) -> list[Answer]:
        self.reached.append(query)
        return []

    def keep(self, digests: Collection[str]) -> None:
        self.reached.append(digests)

    def close(self) -> None: ...


def test_a_query_in_the_clear_never_leaves_for_a_matcher_elsewhere(by_seal: Site) -> None:
    there = Elsewhere()
    both = EitherMatcher(there, LocalMatcher(by_seal.blocks))
    site = by_seal.another_process("remote")
    site.keyholder.matcher = both
    assert site.who(1) == name(1)
    assert there.reached == []
    query = OwnScheme().asker(128).ask(np.zeros(128, np.int32)).query
    both.answer(query, [])
    both.keep(["name"])
    assert there.reached == [query, ["name"]]


def test_a_block_of_the_other_scheme_is_none(by_seal: Site) -> None:
    site = by_seal.another_process("local")
    (block,) = by_seal.blocks_now()
    cells = site.blocks.get(block.digest)
    with pytest.raises(Tampered):
        site.keyholder.schemes[SchemeName.OWN].unseal(cells, bytes(32), bytes(32), 128)
    with pytest.raises(Tampered):
        halves_of(cells[:, :-1])
