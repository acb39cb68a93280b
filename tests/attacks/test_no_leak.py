"""Sizes of messages and the work done are the same for a hit and a miss: neither tells a score.

Work is counted, never timed: which loops run, on arrays of which shape, and which statements go to the
database. benchmarks/attack_timing.py measures time.
"""

import gc
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from types import FrameType
from typing import Any

import numpy as np
import pytest
from sqlalchemy import event

from doorward.gallery import service
from doorward.gallery.drivers.local_matcher import LocalMatcher
from doorward.matching import messages
from doorward.matching.messages import WantedShelf
from doorward.matching.parameters import RING_DEGREE
from tests.attacks.spy import Passed, Spy
from tests.gallery.site import Site, direction, name, near

ROOMS = ("doorward/matching/", "doorward/gallery/")
COUNTED_AFTER = ("Refusals.refused", "Refusals.leaked")  # what the gate shows anyhow
WHOEVER_IS_LAST = "Rooms._give_back"  # a query's memory is wiped by the thread that lets go of it last
PEOPLE = 60
Deed = Callable[[Site], object]


@dataclass
class Work:
    """What one deed did in this thread, in order."""

    steps: list[tuple[Any, ...]] = field(default_factory=list)

    def __call__(self, frame: FrameType, happening: str, _: Any) -> None:
        code = frame.f_code
        if happening == "call" and any(room in code.co_filename for room in ROOMS):
            loop = frame.f_locals.get("self") if code.co_name == "__call__" else None
            shapes = tuple(map(shape, frame.f_locals.get("arguments", ()))) if loop is not None else ()
            named = loop.function.__name__ if loop is not None else ""
            self.steps.append((code.co_qualname, named, shapes))

    def statement(self, _link: Any, _cursor: Any, statement: str, *_: Any) -> None:
        self.steps.append(("sql", " ".join(statement.split())))


def shape(argument: Any) -> Any:
    return getattr(argument, "shape", type(argument).__name__)


def work_of(site: Site, deed: Deed) -> list[tuple[Any, ...]]:
    """Of the third time, when nothing is read for the first time any more and a query is made ahead."""
    for _ in range(2):  # with a query made at once, and with one made ahead: each loop is entered once before
        deed(site)
        with site.unit() as unit:
            held = site.keyholder.held(unit)
            assert held is not None
            held.asker.prepare()
    work = Work()
    listens = (site.database.engine, "before_cursor_execute", work.statement)
    event.listen(*listens)
    gc.collect()  # what an earlier search left is not the work of this one
    gc.disable()
    sys.setprofile(work)
    try:
        deed(site)
    finally:
        sys.setprofile(None)
        gc.enable()
        event.remove(*listens)
    noted = max(place for place, step in enumerate(work.steps) if step[0] == "_note")
    steps = [step for place, step in enumerate(work.steps) if place < noted or step[0] not in COUNTED_AFTER]
    return [step for step in steps if step[0] != WHOEVER_IS_LAST]


HIT = lambda site: site.who(5)  # noqa: E731
DEEDS: dict[str, tuple[Deed, Deed]] = {
    "looked up": (HIT, lambda site: site.who(999)),
    "nearly": (HIT, lambda site: site.who(5, cut=0.81)),
    "first or last": (HIT, lambda site: site.who(PEOPLE - 1)),
    "claimed": (lambda site: site.fits(5, 5), lambda site: site.fits(5, 999)),
    "another's claim": (lambda site: site.fits(5, 5), lambda site: site.fits(6, 5)),
}


@pytest.fixture
def stocked(site: Site) -> Site:
    site.keyholder.threads = 1
    site.enrol(*range(PEOPLE))
    return site


@pytest.mark.parametrize("deeds", DEEDS.values(), ids=DEEDS)
def test_the_same_is_done_whatever_the_score(stocked: Site, deeds: tuple[Deed, Deed]) -> None:
    one, other = (work_of(stocked, deed) for deed in deeds)
    assert one == other
    assert sum(step[0] == "Loop.__call__" for step in one) >= 4  # multiply, check, shift, decrypt
    assert any(step[0] == "sql" for step in one)


def test_control_work_that_depends_on_the_answer_is_seen(stocked: Site) -> None:
    def telling(site: Site) -> object:
        return site.who(5) and site.who(5)

    def silent(site: Site) -> object:
        return site.who(999) and site.who(999)

    assert work_of(stocked, telling) != work_of(stocked, silent)


def test_messages_of_hits_and_misses_are_of_one_size(site: Site) -> None:
    spy = Spy(LocalMatcher(site.blocks), site.blocks)
    site.keyholder.matcher = spy
    site.enrol(*range(PEOPLE))
    for seed in (1, 999, 2, 998):
        site.who(seed)
    looked_up = [sizes(passed) for passed in spy.seen]
    assert len(set(looked_up)) == 1
    for claimed, shown in ((1, 1), (1, 999), (59, 1)):
        site.fits(claimed, shown)
    assert len({sizes(passed) for passed in spy.seen[4:]}) == 1
    length = spy.seen[0].query.face.shape[1]
    assert looked_up[0][0] > 4 * RING_DEGREE * length
    assert looked_up[0][1] > 2 * 4 * RING_DEGREE


def sizes(passed: Passed) -> tuple[int, int]:
    """Of the question and the answer, on their way."""
    wanted = [WantedShelf(one.shelf_id, one.digests) for one in passed.wanted]
    question = messages.encode_search(passed.query, wanted)
    return len(question), sum(len(part) for part in messages.encode_answers(passed.answers))


def test_the_decider_says_who_or_nobody_and_never_how_like(stocked: Site) -> None:
    with stocked.unit() as unit:
        for face in (near(5, 1), direction(999)):
            said = service.identify(unit, stocked.keyholder, face, 0.5)
            assert said in (name(5), None)
            assert type(service.verify(unit, stocked.keyholder, name(5), face, 0.5)) is bool
    public = {what for what in service.__all__ if what.islower()}
    assert not {what for what in public if "score" in what or "nearest" in what or "cosine" in what}


def test_a_block_is_as_large_with_one_face_as_with_all(site: Site) -> None:
    site.enrol(1)
    site.enrol(*range(2, 500))
    site.forget(*range(2, 400))
    objects = [path.stat().st_size for path in site.folder.rglob("*") if path.is_file()]
    assert len(objects) == 3
    assert set(objects) == {4 * RING_DEGREE * 128}
    assert np.unique(objects).size == 1
