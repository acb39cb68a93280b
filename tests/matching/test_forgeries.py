"""Whatever a matcher answers but the truth is found out; whatever a camera sends but a query is refused."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from doorward.core.errors import Invalid, Tampered
from doorward.matching.blocks import Cells, seal
from doorward.matching.matcher import Answer, Shelf
from doorward.matching.parameters import MODULUS as Q
from doorward.matching.parameters import QUERY_REACH, RING_DEGREE, SCORE_SCALE
from doorward.matching.queries import Asker, Query, QueryKey
from doorward.matching.ring import Words
from doorward.matching.rotation import stored
from tests.matching.shelves import SITE, Stocked, people, question, stock

LENGTH = 32


@pytest.fixture(scope="module")
def stocked() -> Stocked:
    return stock(people(3 * RING_DEGREE, LENGTH, 1))


@pytest.fixture(scope="module")
def key(stocked: Stocked) -> QueryKey:
    return question(people(1, LENGTH, 99)[0])


@pytest.fixture
def answer(stocked: Stocked, key: QueryKey) -> Answer:
    return stocked.shelf.answer(key.query)


def test_the_truth_passes(stocked: Stocked, key: QueryKey, answer: Answer) -> None:
    stocked.keys.check(key, answer, threads=2)


@given(
    half=st.sampled_from(["face", "mask"]),
    block=st.integers(0, 2),
    row=st.integers(0, RING_DEGREE - 1),
    by=st.integers(1, Q - 1),
)
@settings(max_examples=60, deadline=None)
def test_any_single_word_changed_is_found_out(half: str, block: int, row: int, by: int) -> None:
    stocked, key = _once()
    answer = stocked.shelf.answer(key.query)
    words = getattr(answer, half)
    words[block, row] = (int(words[block, row]) + by) % Q
    with pytest.raises(Tampered):
        stocked.keys.check(key, answer)


@given(half=st.sampled_from(["face", "mask"]), row=st.integers(0, RING_DEGREE - 1), times=st.integers(1, 14))
@settings(max_examples=30, deadline=None)
def test_a_true_word_written_beyond_the_modulus_is_found_out(half: str, row: int, times: int) -> None:
    """It is the same number to the weights, but would upset what decrypts."""
    stocked, key = _once()
    answer = stocked.shelf.answer(key.query)
    words = getattr(answer, half)
    words[1, row] = int(words[1, row]) + times * Q
    with pytest.raises(Tampered):
        stocked.keys.check(key, answer)


def test_nobody_can_be_forced_to_match(stocked: Stocked, key: QueryKey, answer: Answer) -> None:
    """A constant added to each row is a constant polynomial: it lifts the first person of a block."""
    stranger, own = stocked.keys.nearest(key, answer), stocked.keys.score_of(key, answer, 1, 0)
    assert own is not None
    answer.face[1] = (answer.face[1] + np.uint32((0.95 - own) * SCORE_SCALE)) % Q
    forced = stocked.keys.nearest(key, answer)
    assert stranger and forced and (forced.block, forced.slot) == (1, 0) != (stranger.block, stranger.slot)
    with pytest.raises(Tampered):
        stocked.keys.check(key, answer)


def test_other_blocks_are_found_out(stocked: Stocked, key: QueryKey) -> None:
    blocks = stocked.blocks
    stale, _ = seal(stored(stocked.templates[:RING_DEGREE], SITE), stocked.keys.mask)
    changed = blocks[0].copy()
    changed[0, 0] ^= 1
    for other in (
        [blocks[1], blocks[0], blocks[2]],  # in another order
        [stale, *blocks[1:]],  # sealed at another time
        [changed, *blocks[1:]],
        [blocks[0], blocks[0], blocks[2]],
    ):
        with pytest.raises(Tampered):
            stocked.keys.check(key, Shelf(other).answer(key.query))


def test_a_stale_block_is_found_out_after_a_new_seal() -> None:
    stocked = stock(people(10, LENGTH, 1))
    key = question(stocked.templates[3])
    old = stocked.shelf.answer(key.query)
    block, secret = seal(stored(stocked.templates, SITE), stocked.keys.mask)
    stocked.keys.put(0, secret, block, stocked.shelf.block(0))
    with pytest.raises(Tampered):
        stocked.keys.check(key, old)
    stocked.keys.check(key, stocked.shelf.with_block(0, block).answer(key.query))


def test_an_answer_to_another_question_is_found_out(stocked: Stocked, key: QueryKey) -> None:
    other = stocked.shelf.answer(question(people(1, LENGTH, 98)[0]).query)
    with pytest.raises(Tampered):
        stocked.keys.check(key, other)


def test_answers_of_another_form_are_found_out(stocked: Stocked, key: QueryKey, answer: Answer) -> None:
    face, mask = answer.face, answer.mask
    forms: list[tuple[Words, Words]] = [
        (face[:2], mask[:2]),  # a part of the scan only
        (face[:2], mask),
        (np.concatenate([face, face]), np.concatenate([mask, mask])),
        (face[:, :-1], mask[:, :-1]),
        (np.asfortranarray(face), mask),
        (face.astype(np.uint64), mask),
        (face.reshape(-1), mask.reshape(-1)),
        (face[:0], mask[:0]),
    ]
    for bad in forms:
        for use in (stocked.keys.check, stocked.keys.nearest):
            with pytest.raises(Tampered):
                use(key, Answer(*bad))


@pytest.mark.parametrize(
    "face",
    [
        np.zeros((RING_DEGREE, 0), np.int32),
        np.zeros((RING_DEGREE, 513), np.int32),
        np.zeros((RING_DEGREE - 1, 8), np.int32),
        np.zeros((RING_DEGREE, 32), np.int64),
        np.zeros((RING_DEGREE, 16), np.int32)[:, ::2],
        np.zeros(RING_DEGREE, np.int32),
        np.full((RING_DEGREE, 32), Q // 2 + 1, np.int32),
        np.full((RING_DEGREE, 32), -(2**31), np.int32),
    ],
)
def test_what_is_no_query_is_refused(face: Cells) -> None:
    with pytest.raises(Invalid):
        Query(face, bytes(32))


def test_a_query_has_a_whole_seed() -> None:
    with pytest.raises(Invalid):
        Query(np.zeros((RING_DEGREE, 32), np.int32), bytes(31))


@pytest.mark.parametrize(
    "numbers",
    [
        np.zeros(LENGTH + 1, np.int32),
        np.zeros(LENGTH, np.int64),
        np.full(LENGTH, int(QUERY_REACH), np.int32),
        np.full(LENGTH, -(2**31), np.int32),
    ],
)
def test_what_is_no_template_is_not_asked_for(numbers: Cells) -> None:
    with pytest.raises(Invalid):
        Asker(LENGTH).ask(numbers)


_KEPT: list[tuple[Stocked, QueryKey]] = []


def _once() -> tuple[Stocked, QueryKey]:
    if not _KEPT:
        _KEPT.append((stock(people(3 * RING_DEGREE, LENGTH, 1)), question(people(1, LENGTH, 99)[0])))
    return _KEPT[0]
