"""A thief rules the matcher for a day: every query, answer and version of a block, and when the gate opened.

He knows every face that came by, whether it was let in, and half of the people enrolled. He learns nothing
about anybody else's template and cannot tell a hit from a miss. The controls let the same attacks succeed on
weakened copies.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pytest
from numpy.typing import NDArray

from doorward.gallery import service, store
from doorward.gallery.drivers.local_matcher import LocalMatcher
from doorward.matching.blocks import BlockSecret, Cells, Mask, centred
from doorward.matching.parameters import MODULUS, QUERY_SCALE, RING_DEGREE, SCORE_SCALE
from doorward.matching.queries import Query
from doorward.matching.randomness import fresh_seed, with_noise
from doorward.matching.ring import forward
from doorward.matching.rotation import asked, stored
from tests.attacks.spy import Passed, Spy
from tests.attacks.thief import (
    BY_CHANCE,
    SURE,
    apart,
    learnt,
    paired,
    polynomials,
    solved_for,
    undone,
    uneven,
)
from tests.gallery.site import Site, direction, name, near

PEOPLE = 40
VICTIM = 3  # its template is what the thief is after
VISITS = 240
STAYED = 30
FIRST_COORDINATES, ROW_MEANS = slice(0, 128), slice(128, 256)


@dataclass(frozen=True)
class Day:
    """What was seen, and what a thief knows besides: whose face came when, and whether the gate opened."""

    spy: Spy
    came: NDArray[np.float32]
    opened: NDArray[np.bool_]
    slots: list[int]  # of who stayed all day, in order

    @cached_property
    def notes(self) -> NDArray[np.float64]:
        return np.stack(self.spy.notes)

    @property
    def answers(self) -> NDArray[np.float64]:
        """Coefficients of sixteen people in both halves of each answer, the victim among them."""
        return self.notes[:, [256 + half + slot for half in (0, RING_DEGREE) for slot in self.slots[:16]]]

    @property
    def scores(self) -> NDArray[np.float32]:
        """What the key holder saw of the victim, which nobody else is told."""
        scores: NDArray[np.float32] = self.came @ direction(VICTIM)
        return scores


@pytest.fixture
def day(site: Site) -> Day:
    spy = Spy(LocalMatcher(site.blocks), site.blocks, whole=False)
    site.keyholder.matcher = spy
    site.enrol(*range(PEOPLE))
    came, opened = [], []
    for visit in range(VISITS):
        if visit % 40 == 20:  # somebody new, somebody gone: the block is sealed anew
            site.enrol(PEOPLE + visit)
            site.forget(PEOPLE - 1 - visit // 40)
        face = near(visit % 20, visit) if visit % 2 else direction(5000 + visit)
        with site.unit() as unit:
            opened.append(service.identify(unit, site.keyholder, face, 0.5) is not None)
        came.append(face)
        site.clock.advance(seconds=20)
    with site.unit() as unit:
        (block,) = [block for _, _, block in service.list_kept(unit)]
        members = dict(store.list_members(unit.rows, block.shelf_id, block.number))
    slots = [members[name(seed)] for seed in range(STAYED)]
    return Day(spy, np.stack(came), np.array(opened), slots)


def test_a_day_of_known_visitors_teaches_nothing(day: Day) -> None:
    assert day.opened.sum() == VISITS // 2
    half = VISITS // 2
    for numbers in (day.notes[:, FIRST_COORDINATES], day.notes[:, ROW_MEANS], np.abs(day.notes[:, :256])):
        assert abs(learnt(numbers, day.came, known=half)) < BY_CHANCE  # whose face a query holds
    for numbers in (day.answers, np.abs(day.answers), day.notes[:, :256]):
        assert abs(learnt(numbers, day.opened, known=half)) < BY_CHANCE  # whether the gate will open
        assert abs(learnt(numbers, day.scores, known=half)) < BY_CHANCE  # how like the victim somebody is


def test_no_answer_is_an_equation_about_the_victim(day: Day) -> None:
    """240 equations in 128 unknowns, if any of these numbers were a score."""
    for column in range(day.answers.shape[1]):
        assert abs(solved_for(day.came, day.answers[:, column], direction(VICTIM))) < BY_CHANCE


def test_all_versions_of_a_block_together_are_noise(day: Day) -> None:
    versions = list(day.spy.versions.values())
    assert len(versions) >= 7
    people = np.stack([direction(seed) for seed in range(STAYED)])
    for one, other in zip(versions[1:], versions, strict=False):
        assert uneven(apart(one, other)) < BY_CHANCE
        assert abs(paired(undone(apart(one, other))[day.slots], people)) < BY_CHANCE
    together = sum(undone(cells)[day.slots].astype(np.float64) for cells in versions)
    assert abs(learnt(np.asarray(together), people, known=15)) < BY_CHANCE


def test_two_searches_of_the_same_face_have_nothing_in_common(site: Site) -> None:
    spy = Spy(LocalMatcher(site.blocks), site.blocks)
    site.keyholder.matcher = spy
    site.enrol(*range(PEOPLE))
    for _ in range(6):
        assert site.who(VICTIM) == name(VICTIM)
    assert len({each.query.mask_seed for each in spy.seen}) == 6
    for one, other in zip(spy.seen[1:], spy.seen, strict=False):
        assert uneven(one.query.face) < BY_CHANCE
        assert uneven(between(one, other)) < BY_CHANCE
        assert uneven(undone(between(one, other))) < BY_CHANCE
        for half in ("face", "mask"):
            first, second = (getattr(each.answers[0], half) for each in (one, other))
            assert uneven(first) < BY_CHANCE
            assert uneven(polynomials(first).astype(np.int64) - polynomials(second)) < BY_CHANCE


def between(one: Passed, other: Passed) -> Cells:
    return apart(one.query.face, other.query.face)


def asked_under(secret: BlockSecret, mask: Mask, face: NDArray[np.float32], site: bytes) -> Query:
    """A query as it is made, but under a secret and a mask that are given: nothing of ours can do that."""
    noisy = with_noise(np.zeros((RING_DEGREE, len(face)), np.int32))
    forward(noisy)
    words = noisy + mask.cells * secret.transformed[:, None].astype(np.int64) + asked(face, site)
    return Query(centred(np.mod(words, MODULUS).astype(np.uint32)), mask.seed)


def test_control_a_query_secret_used_twice_gives_the_faces_away() -> None:
    secret, mask, turn = BlockSecret(fresh_seed()), Mask.fresh(128), fresh_seed()
    known, other = direction(1), direction(2)
    one, two = (asked_under(secret, mask, face, turn) for face in (known, other))
    difference = undone(apart(one.face, two.face))
    assert uneven(difference) > SURE
    found = asked(known, turn) - difference[0]  # who knows the one reads the other
    assert np.abs(found - asked(other, turn)).max() <= 42  # errors; the numbers themselves are of this size:
    assert np.abs(asked(other, turn)).max() > QUERY_SCALE / 10


def test_control_scores_revealed_are_equations(day: Day) -> None:
    """A wrong turn in the scheme would show scores with a noise of a hundredth: then all is lost in a day."""
    noise = np.random.default_rng(1).normal(scale=0.01, size=VISITS)
    shown = (day.scores + noise) * SCORE_SCALE
    assert solved_for(day.came, shown, direction(VICTIM)) > 0.9 * 128**0.5
    assert learnt(shown.reshape(-1, 1), day.scores, known=VISITS // 2) > 0.9 * (VISITS // 2) ** 0.5


def test_control_queries_turned_but_not_encrypted_fall_to_known_faces(day: Day) -> None:
    turned = stored(day.came, fresh_seed())
    assert learnt(turned, day.came, known=VISITS // 2 + 20) > SURE / 2
    best = np.stack([direction(seed) for seed in range(20)]) @ day.came.T
    assert learnt(best.max(0).reshape(-1, 1), day.opened, known=VISITS // 2) > BY_CHANCE
