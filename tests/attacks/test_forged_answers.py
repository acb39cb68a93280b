"""Whatever a matcher says but the truth opens for nobody, and is the last thing that it is asked.

Kinds that tests/gallery does not show: truths of another question, of another time or of other people.
"""

from collections.abc import Callable, Collection, Sequence
from typing import Any

import numpy as np
import pytest

from doorward.core.errors import Tampered
from doorward.gallery import service
from doorward.gallery.drivers.local_matcher import LocalMatcher
from doorward.gallery.model import Wanted
from doorward.matching.matcher import Answer, Shelf
from doorward.matching.parameters import MODULUS, RING_DEGREE, SCORE_SCALE
from doorward.matching.queries import Query
from doorward.matching.ring import forward
from tests.attacks.spy import Spy
from tests.gallery.site import Site, name

Answers = list[Answer]
Lie = Callable[[Spy, Query, Answers], Answers]


class Forger:
    """Rules the matcher: has all that it ever saw, and says what it likes."""

    def __init__(self, site: Site, lie: Lie) -> None:
        self.spy = Spy(LocalMatcher(site.blocks), site.blocks)
        self.lie: Lie | None = None
        self.told, self.asked = lie, 0

    def answer(self, query: Any, shelves: Sequence[Wanted]) -> Answers:
        self.asked += 1
        honest = self.spy.answer(query, shelves)
        return honest if self.lie is None else self.lie(self.spy, query, honest)

    def keep(self, digests: Collection[str]) -> None:
        self.spy.keep(digests)


def hit_of_before(spy: Spy, _query: Query, _honest: Answers) -> Answers:
    """The recorded answer that opened the gate."""
    return list(spy.seen[0].answers)


def recorded_query(spy: Spy, _query: Query, _honest: Answers) -> Answers:
    """The recorded query of whoever was let in, asked anew of today's blocks."""
    before = spy.seen[0].query
    return spy.honest.answer(before, spy.seen[-1].wanted)


def half_of_before(spy: Spy, _query: Query, honest: Answers) -> Answers:
    return [Answer(spy.seen[0].answers[0].face, honest[0].mask)]


def former_block(spy: Spy, query: Query, _honest: Answers) -> Answers:
    """A sealing that still holds somebody who was forgotten."""
    return [Shelf([next(iter(spy.versions.values()))]).answer(query)]


def twice_as_like(_spy: Spy, _query: Query, honest: Answers) -> Answers:
    """Everybody's score doubled: what decrypts to twice the cosine is a ciphertext too."""
    return [Answer(doubled(honest[0].face), doubled(honest[0].mask))]


def doubled(words: np.ndarray) -> np.ndarray:
    return (words.astype(np.uint64) * 2 % MODULUS).astype(np.uint32)


def lifted(_spy: Spy, _query: Query, honest: Answers) -> Answers:
    """Three quarters more for everybody in the block."""
    more = np.full((RING_DEGREE, 1), int(SCORE_SCALE * 0.75), np.uint32)
    forward(more)
    return [Answer((honest[0].face + more.T) % np.uint32(MODULUS), honest[0].mask)]


def zeros(_spy: Spy, _query: Query, honest: Answers) -> Answers:
    return [Answer(np.zeros_like(honest[0].face), np.zeros_like(honest[0].mask))]


def noise(_spy: Spy, _query: Query, honest: Answers) -> Answers:
    """The best of 2048 random scores would fit any face."""
    draw = np.random.default_rng().integers(0, MODULUS, (2, *honest[0].face.shape), np.uint32)
    return [Answer(draw[0], draw[1])]


def beyond_the_modulus(_spy: Spy, _query: Query, honest: Answers) -> Answers:
    return [Answer(honest[0].face + np.uint32(MODULUS), honest[0].mask)]


def nothing(_spy: Spy, _query: Query, _honest: Answers) -> Answers:
    return []


def too_much(_spy: Spy, _query: Query, honest: Answers) -> Answers:
    return [*honest, *honest]


def of_nobody(_spy: Spy, _query: Query, honest: Answers) -> Answers:
    return [Answer(honest[0].face[:0], honest[0].mask[:0])]


def other_numbers(_spy: Spy, _query: Query, honest: Answers) -> Answers:
    return [Answer(honest[0].face.astype(np.float64), honest[0].mask)]


def signed_nonsense(_spy: Spy, _query: Query, _honest: Answers) -> Answers:
    raise Tampered("The matcher's answer is signed, and is none.")


LIES = [
    hit_of_before,
    recorded_query,
    half_of_before,
    former_block,
    twice_as_like,
    lifted,
    zeros,
    noise,
    beyond_the_modulus,
    nothing,
    too_much,
    of_nobody,
    other_numbers,
    signed_nonsense,
]


@pytest.mark.parametrize("lie", LIES)
@pytest.mark.parametrize("claimed", [False, True], ids=["looked up", "claimed"])
def test_a_lie_lets_nobody_in_and_ends_the_asking(site: Site, lie: Lie, claimed: bool) -> None:
    forger = Forger(site, lie)
    site.keyholder.matcher = forger
    site.enrol(0, 1, 2)
    assert site.who(1) == name(1)
    site.enrol(3)
    site.forget(1)
    forger.lie = lie
    asked = forger.asked
    assert not site.fits(0, 99) if claimed else site.who(99) is None
    forger.lie = None  # from now on it would be honest
    assert (site.who(0), site.fits(0, 0), site.another_process().who(0)) == (None, False, None)
    assert forger.asked == asked + 1
    assert site.events("gallery.answer-forged") == 1
    with site.unit() as unit:
        assert service.standing(unit).distrusted_at == site.clock.now


def test_control_without_the_check_a_lie_would_let_a_stranger_in(site: Site) -> None:
    """Decrypted unchecked, a lifted answer makes anybody somebody: the check is what stops it."""
    site.enrol(0, 1, 2)
    assert site.who(0) == name(0)
    with site.unit() as unit:
        held = site.keyholder.held(unit)
        assert held is not None
        (shelf,) = held.shelves.values()
        key = held.asker.ask(np.zeros(128, np.int32))  # like nobody at all
        honest = site.keyholder.matcher.answer(key.query, [shelf.wanted])
        shelf.keys.check(key, honest[0])
        (lie,) = lifted(Spy(LocalMatcher(site.blocks), site.blocks), key.query, honest)
        found = shelf.keys.nearest(key, lie)
        assert found is not None and found.score > 0.7
        with pytest.raises(Tampered):
            shelf.keys.check(key, lie)
