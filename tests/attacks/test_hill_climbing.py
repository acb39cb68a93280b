"""Faces tried one after the other on yes and no alone, against the real search and the real limits.

A stranger gets some hundreds of tries a day at a gate and comes nowhere. Whoever is let in as somebody
already can learn that face by bisection: the bucket of refusals is a brake, not a wall (see attacks.md).
"""

from dataclasses import dataclass, field
from datetime import timedelta

import numpy as np
import pytest

from doorward.gallery import service
from doorward.gallery.rules import MOST_REFUSED, REFUSALS_A_SECOND
from doorward.gates.model import Guesses
from doorward.gates.rules.guessing import LONGEST_AT_A_GATE, must_wait
from tests.attacks.climber import Face, climbed
from tests.gallery.site import Site, direction, name

CUT = 0.45
SHORT = 64  # coordinates: 128 take four times as many tries, twice as many directions of twice the work
A_DAY = 86_400.0


@dataclass
class Asking:
    """Somebody who shows face after face; what the limits made of it."""

    site: Site
    every_seconds: float
    patient: bool = False
    limited: bool = True
    tries: int = 0
    refused: int = 0
    turned_away: int = 0
    seen: list[Face] = field(default_factory=list)

    def __call__(self, face: Face) -> bool | None:
        """Whether it was accepted; None once the search is not asked for this requester any more."""
        site = self.site
        if not self.limited:
            site.keyholder.refusals.clear()
        if self.patient:
            while not self._may_ask():
                site.clock.advance(seconds=1)
        elif self.limited and not self._may_ask():
            self.turned_away += 1
            return None
        site.clock.advance(seconds=self.every_seconds)
        with site.unit() as unit:
            accepted = service.identify(unit, site.keyholder, face, CUT) is not None
        self.tries += 1
        self.refused += not accepted
        self.seen.append(face)
        return accepted

    def _may_ask(self) -> bool:
        with self.site.unit() as unit:
            return service.doubt(unit, self.site.keyholder) is None


def enrolled(site: Site) -> tuple[Face, Face]:
    """Somebody's face, and one so like it that it is accepted: a look-alike, or a photo that got through."""
    chance = np.random.default_rng(3)
    face, other = chance.normal(size=(2, SHORT))
    face /= np.linalg.norm(face)
    other -= (other @ face) * face
    other /= np.linalg.norm(other)
    start = 0.6 * face + 0.8 * other
    with site.unit() as unit:
        service.enrol(unit, site.keyholder, {name(1): face.astype(np.float32)})
    return face.astype(np.float32), start.astype(np.float32)


def test_a_stranger_all_day_at_a_gate_comes_nowhere(site: Site) -> None:
    """The gate's own guard lets a face be looked up every five minutes in the end: some hundred tries."""
    site.enrol(*range(40))
    guesses, tried, accepted = Guesses(about="gate", failures=0, last_at=site.clock.now), 0, 0
    until, best = site.clock.now + timedelta(seconds=A_DAY), 0.0
    gallery = np.stack([direction(seed) for seed in range(40)])
    while site.clock.now < until:
        if must_wait(guesses, site.clock.now, LONGEST_AT_A_GATE):
            site.clock.advance(seconds=5)
            continue
        face = direction(10_000 + tried)
        with site.unit() as unit:
            accepted += service.identify(unit, site.keyholder, face, CUT) is not None
        tried += 1
        best = max(best, float((gallery @ face).max()))
        guesses = Guesses(about="gate", failures=guesses.failures + 1, last_at=site.clock.now)
    assert 280 < tried < 310
    assert accepted == 0
    assert best < CUT  # and he is not told which of his faces it was


def test_the_bucket_ends_a_climb_before_it_comes_far(site: Site) -> None:
    face, start = enrolled(site)
    asking = Asking(site, every_seconds=0.1)
    guess = climbed(asking, start, 2 * SHORT)
    seconds = 0.1 * asking.tries
    assert asking.turned_away == 1
    assert asking.refused <= MOST_REFUSED + REFUSALS_A_SECOND * seconds + 1
    assert float(guess @ face) < 0.85
    with site.unit() as unit:
        assert service.identify(unit, site.keyholder, face, CUT) is None
    assert site.events("gallery.asked-too-often") == 1


def test_control_without_limits_the_same_climb_reaches_the_face(site: Site) -> None:
    face, start = enrolled(site)
    guess = climbed(Asking(site, every_seconds=0.1, limited=False), start, 2 * SHORT)
    assert float(guess @ face) > 0.97


def test_a_patient_climb_from_an_accepted_face_takes_its_time_and_arrives(site: Site) -> None:
    """Known and stated: yes and no tell a face to whoever may show thousands, at the pace of the bucket."""
    face, start = enrolled(site)
    began = site.clock.now
    asking = Asking(site, every_seconds=0.1, patient=True)
    guess = climbed(asking, start, 2 * SHORT)
    took = (site.clock.now - began).total_seconds()
    assert took * REFUSALS_A_SECOND >= asking.refused - MOST_REFUSED - 1
    assert asking.refused > 4 * SHORT
    assert float(guess @ face) > 0.97


@pytest.mark.parametrize("directions", [0, 1])
def test_a_climb_that_was_stopped_at_once_knows_what_it_came_with(directions: int) -> None:
    start = direction(1)
    assert climbed(lambda _face: None, start, directions) @ start > 0.999
