"""A block comes out as it went in, however often it is sealed, and no secret seals twice."""

import inspect
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from doorward.core.errors import Invalid, Tampered
from doorward.matching import blocks
from doorward.matching.blocks import BlockSecret, Mask, seal, unseal
from doorward.matching.parameters import (
    BLOCK_SIZE,
    COORDINATE_SCALE,
    LONGEST_TEMPLATE,
    MODULUS,
    MOST_STEPS,
    NOISE_REACH,
    RING_DEGREE,
)
from doorward.matching.randomness import Label, stream, ternary, uniform, with_noise
from doorward.matching.ring import inverse
from doorward.matching.rotation import asked, rotation, stored, turned
from tests.matching.shelves import SITE, people

Steps = NDArray[np.int32]


def test_a_block_is_the_same_after_many_seals() -> None:
    mask, steps = Mask.fresh(16), stored(people(1000, 16, 1), SITE)
    current: Steps = steps
    for _ in range(60):
        current = unseal(*seal(current, mask), mask)
    assert (current[:1000] == steps).all()
    assert not current[1000:].any()


@pytest.mark.parametrize("rows", [0, 1, BLOCK_SIZE - 1, BLOCK_SIZE])
@pytest.mark.parametrize("length", [1, 128, LONGEST_TEMPLATE])
def test_any_number_of_people_and_coordinates(rows: int, length: int) -> None:
    mask, steps = Mask.fresh(length), stored(people(rows, length, rows), SITE)
    opened = unseal(*seal(steps, mask), mask)
    assert (opened[:rows] == steps).all() and not opened[rows:].any()


def test_the_greatest_coordinates_come_back() -> None:
    mask, steps = Mask.fresh(2), np.zeros((BLOCK_SIZE, 2), np.int32)
    steps[::2, 0], steps[1::2, 1] = MOST_STEPS, -MOST_STEPS
    assert (unseal(*seal(steps, mask), mask) == steps).all()


def test_no_one_can_choose_the_seed_of_a_seal() -> None:
    assert list(inspect.signature(seal).parameters) == ["steps", "mask"]
    mask, steps = Mask.fresh(4), stored(people(3, 4, 1), SITE)
    _, secret = seal(steps, mask)
    with pytest.raises(TypeError):
        seal(steps, mask, secret)  # type: ignore[call-arg]
    with pytest.raises(TypeError):
        seal(steps, mask, seed=secret.seed)  # type: ignore[call-arg]
    source = Path(blocks.__file__).parents[1]
    users = [file.name for file in source.rglob("*.py") if "_sealed_under" in file.read_text()]
    assert users == ["blocks.py"]  # the one way around, for test vectors


def test_each_seal_draws_a_secret_and_errors_of_its_own() -> None:
    mask, steps = Mask.fresh(4), stored(people(3, 4, 1), SITE)
    sealed = [seal(steps, mask) for _ in range(5)]
    assert len({secret.seed for _, secret in sealed}) == 5
    assert len({cells.tobytes() for cells, _ in sealed}) == 5


def test_a_reused_seed_would_give_templates_away() -> None:
    """Why the above matters: the difference of two seals under one secret is the difference of templates."""
    mask, secret = Mask.fresh(4), BlockSecret(bytes(32))
    old, new = np.zeros((2, 10, 4), np.int32)
    new[3] = 17
    (a, _), (b, _) = (blocks._sealed_under(secret, steps, mask) for steps in (old, new))
    difference = ((b.astype(np.int64) - a) % MODULUS).astype(np.uint32)
    inverse(difference)
    assert (np.rint(blocks.centred(difference) / 43)[3] == 17).all()


def test_a_block_is_noise_without_its_secret() -> None:
    """Of a seal of nobody, so that anything but uniform noise would show."""
    mask = Mask.fresh(64)
    cells, secret = seal(np.zeros((0, 64), np.int32), mask)
    column = secret.transformed.reshape(RING_DEGREE, 1).copy()
    inverse(column)
    assert set(np.unique(column)) == {0, 1, MODULUS - 1}
    opened = ((cells - mask.cells.astype(np.int64) * secret.transformed[:, None]) % MODULUS).astype(np.uint32)
    inverse(opened)
    assert np.abs(blocks.centred(opened)).max() <= NOISE_REACH
    for words in (cells, _untransformed(cells), _untransformed(cells - mask.cells)):
        counts, _ = np.histogram(words, 64, (-MODULUS / 2, MODULUS / 2))
        assert ((counts - counts.mean()) ** 2 / counts.mean()).sum() < 150  # chi-squared, 63 degrees


def test_another_secret_or_a_changed_word_opens_nothing() -> None:
    mask, steps = Mask.fresh(8), stored(people(20, 8, 1), SITE)
    cells, secret = seal(steps, mask)
    with pytest.raises(Tampered):
        unseal(cells, seal(steps, mask)[1], mask)
    with pytest.raises(Tampered):
        unseal(cells, secret, Mask.fresh(8))
    changed = cells.copy()
    changed[77, 3] ^= 1
    with pytest.raises(Tampered):
        unseal(changed, secret, mask)


@pytest.mark.parametrize(
    "cells",
    [
        np.zeros((RING_DEGREE, 9), np.int32),
        np.zeros((RING_DEGREE - 1, 8), np.int32),
        np.zeros((RING_DEGREE, 8), np.int64),
        np.zeros((RING_DEGREE, 16), np.int32)[:, ::2],
        np.zeros(RING_DEGREE * 8, np.int32),
        np.zeros((RING_DEGREE * 8 * 4 + 1), np.uint8)[1:].view(np.int32).reshape(RING_DEGREE, 8),
    ],
)
def test_blocks_of_another_form_are_refused(cells: Steps) -> None:
    with pytest.raises(Tampered):
        unseal(cells, BlockSecret(bytes(32)), Mask.fresh(8))


@pytest.mark.parametrize(
    "steps",
    [
        np.zeros((BLOCK_SIZE + 1, 8), np.int32),
        np.zeros((3, 9), np.int32),
        np.zeros(8, np.int32),
        np.zeros((3, 8), np.int64),
        np.zeros((3, 8), np.float32),
        np.full((1, 8), -(2**31), np.int32),
        np.eye(8, dtype=np.int32) * (MOST_STEPS + 1),
        np.full((1, 8), COORDINATE_SCALE, np.int32),
    ],
)
def test_what_is_no_template_is_not_sealed(steps: Steps) -> None:
    with pytest.raises(Invalid):
        seal(steps, Mask.fresh(8))


@pytest.mark.parametrize("length", [0, -1, LONGEST_TEMPLATE + 1])
def test_masks_have_a_possible_length(length: int) -> None:
    with pytest.raises(Invalid):
        Mask.fresh(length)


def test_seeds_have_32_bytes() -> None:
    with pytest.raises(Invalid):
        Mask(b"short", 8)
    with pytest.raises(Invalid):
        BlockSecret(b"short")


@pytest.mark.parametrize("bad", [np.nan, np.inf, 0.0, 2.0])
def test_templates_are_finite_and_of_length_one(bad: float) -> None:
    template = people(1, 8, 1)
    template[0] *= np.float32(bad)
    with pytest.raises(Invalid):
        stored(template, SITE)
    with pytest.raises(Invalid):
        asked(template[0], SITE)


def test_the_rotation_keeps_cosines_and_is_orthogonal() -> None:
    faces = people(50, 128, 3)
    there = turned(faces, SITE)
    assert np.allclose(there @ there.T, faces @ faces.T, atol=1e-5)
    matrix = rotation(SITE, 128)
    assert np.allclose(matrix @ matrix.T, np.eye(128), atol=1e-5)
    assert np.abs(rotation(bytes(32), 128) - matrix).max() > 0.1


def test_drawn_numbers_are_spread_as_they_should_be() -> None:
    words = uniform(SITE, (RING_DEGREE, 64))
    counts, _ = np.histogram(words, 64, (0, MODULUS))
    assert ((counts - counts.mean()) ** 2 / counts.mean()).sum() < 150  # chi-squared, 63 degrees: mean 63
    thirds = np.concatenate([ternary(bytes([i]) * 32) for i in range(64)])
    assert set(np.unique(thirds)) == {0, 1, MODULUS - 1}
    assert np.abs(np.unique(thirds, return_counts=True)[1] / len(thirds) - 1 / 3).max() < 0.006
    errors = blocks.centred(with_noise(np.zeros((RING_DEGREE, 64), np.int32)))
    assert np.abs(errors).max() <= NOISE_REACH
    assert abs(errors.std() - 10.5**0.5) < 0.03 and abs(errors.mean()) < 0.05


def test_labels_keep_uses_of_one_seed_apart() -> None:
    assert len({stream(SITE, 64, label).tobytes() for label in Label}) == len(Label)
    assert stream(SITE, 3_000_001, Label.MASK)[:99].tobytes() == stream(SITE, 99, Label.MASK).tobytes()


def _untransformed(cells: Steps) -> Steps:
    words = (cells.astype(np.int64) % MODULUS).astype(np.uint32)
    inverse(words)
    return blocks.centred(words)
