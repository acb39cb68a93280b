"""Two galleries of the same people: does anything in them tell that they are?

By ISO/IEC 30136 in the measure of Gomez-Barrero et al. (benchmarks/_unlinkability.py). Ciphertexts must be as
little linkable as random numbers, to five standard deviations of what random numbers give in as many pairs; a
scheme that is weakened must be seen to be.
"""

from functools import cache
from pathlib import Path

import numpy as np
import pytest

from benchmarks._unlinkability import ATTACKS, Galleries, cosine, d_sys, made_up, measure, photographed

BY_CHANCE = 5.0  # standard deviations
PEOPLE = 150
LEFT = 0.15
of_photos = cache(photographed)
attacks = pytest.mark.parametrize("attack", ATTACKS)


@pytest.fixture(params=["made up", "photographed"])
def galleries(request: pytest.FixtureRequest) -> Galleries:
    if request.param == "made up":
        return made_up(PEOPLE, 128)
    folder: Path = request.getfixturevalue("real_data") / "faces_lfw"
    if not folder.is_dir():
        pytest.skip("needs photos: DOORWARD_DATA/faces_lfw/PERSON/PHOTO.jpg")
    return of_photos(folder, PEOPLE)


@attacks
@pytest.mark.parametrize("as_stored", [True, False], ids=["as stored", "transform undone"])
def test_ciphertexts_of_the_same_people_are_no_more_alike_than_random_numbers(
    galleries: Galleries, attack: str, as_stored: bool
) -> None:
    """Even under one site's rotation and one mask, which no re-keyed gallery shares with the old one."""
    found = measure(ATTACKS[attack], galleries.stored_pairs(as_stored=as_stored), galleries.random_cells)
    assert found.sigmas < BY_CHANCE, found


@attacks
def test_a_secret_used_twice_is_seen(galleries: Galleries, attack: str) -> None:
    """So the test above can fail. `blocks.seal` draws its own secret: this goes around it."""
    pairs = galleries.stored_pairs(as_stored=False, reuse_seed=True)
    found = measure(ATTACKS[attack], pairs, galleries.random_cells)
    assert found.sigmas > 4 * BY_CHANCE, found
    assert found.d_sys > 0.5


def test_without_a_rotation_a_thief_of_all_keys_would_link_everybody(galleries: Galleries) -> None:
    found = measure(cosine, galleries.opened_pairs(rotate=False), galleries.random_steps)
    assert found.d_sys > 0.9, found


@pytest.mark.parametrize("attack", ["cosine of rows", "sorted sizes of rows"])
def test_two_rotations_hide_most_even_from_a_thief_of_all_keys(galleries: Galleries, attack: str) -> None:
    """A rotation is no encryption; docs/benchmarks.md states what it leaves. Median of some pairs."""
    found = [measure(ATTACKS[attack], galleries.opened_pairs(), galleries.random_steps) for _ in range(5)]
    assert np.median([each.d_sys for each in found]) < LEFT


@pytest.mark.parametrize("apart", [0, 1, 2, 20])
def test_the_measure_is_what_its_definition_gives(apart: float) -> None:
    """Two normal distributions so many sigmas apart, against the integral of their densities."""
    chance = np.random.default_rng(4)
    mated, others = chance.standard_normal(20_000) + apart, chance.standard_normal(120_000)
    s = np.linspace(-10, apart + 10, 200_001)
    same, other = (np.exp(-((s - mean) ** 2) / 2) / (2 * np.pi) ** 0.5 for mean in (apart, 0))
    local = np.maximum(0, (same - other) / (same + other + 1e-300))
    exact = float((local * same).sum() * (s[1] - s[0]))
    assert d_sys(mated, others, bins=40) == pytest.approx(exact, abs=0.03)
