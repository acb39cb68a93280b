"""The loops at the largest numbers they may be given, against Python's own, which never overflow."""

import numpy as np
import pytest
from numpy.typing import NDArray

from doorward.core.errors import Tampered
from doorward.matching.blocks import BlockSecret, Mask, add_product
from doorward.matching.keyholder import ShelfKeys
from doorward.matching.matcher import Answer, Shelf
from doorward.matching.opening import accumulate, check_rows, row_products
from doorward.matching.parameters import BLOCKS_PER_MASK, LONGEST_TEMPLATE, RING_DEGREE
from doorward.matching.parameters import MODULUS as Q
from doorward.matching.queries import Query, QueryKey

HALF = Q // 2


def filled(value: int, width: int) -> NDArray[np.int32]:
    return np.full((RING_DEGREE, width), value, np.int32)


def asking(value: int, width: int = LONGEST_TEMPLATE) -> QueryKey:
    query = Query(filled(value, width), bytes(32))
    query.__dict__["mask"] = filled(-value, width)
    # Under a secret of -1 everywhere, the query without its mask is nothing.
    return QueryKey(query, np.full(RING_DEGREE, Q - 1, np.uint32), filled(0, width))


@pytest.mark.parametrize("cell", [HALF, -HALF])
@pytest.mark.parametrize("number", [HALF, -HALF])
def test_512_products_of_the_largest_cells(cell: int, number: int) -> None:
    answer = Shelf([filled(cell, LONGEST_TEMPLATE)]).answer(asking(number).query)
    assert (answer.face == LONGEST_TEMPLATE * cell * number % Q).all()
    assert (answer.mask == LONGEST_TEMPLATE * cell * -number % Q).all()
    out = np.empty(RING_DEGREE, np.uint32)
    row_products(filled(cell, LONGEST_TEMPLATE), filled(number, LONGEST_TEMPLATE), out)
    assert (out == LONGEST_TEMPLATE * cell * number % Q).all()


@pytest.mark.parametrize("blocks", [1, 2, 5])
@pytest.mark.parametrize("length", [1, 3, 17, 500])
def test_any_length_and_number_of_blocks(length: int, blocks: int) -> None:
    drawn = np.random.default_rng(length).integers(
        -HALF, HALF + 1, (blocks + 1, RING_DEGREE, length), np.int32
    )
    query = Query(drawn[-1], bytes(32))
    answer = Shelf(list(drawn[:-1])).answer(query)
    for half, with_what in ((answer.face, query.face), (answer.mask, query.mask)):
        assert (half == (drawn[:-1].astype(np.int64) * with_what % Q).sum(2) % Q).all()


@pytest.mark.parametrize("word", [0, Q - 1])
@pytest.mark.parametrize("total", [HALF, -HALF])
def test_64_weights_of_the_largest_words(word: int, total: int) -> None:
    words = np.full((BLOCKS_PER_MASK, RING_DEGREE), word, np.uint32)
    weights = np.full(BLOCKS_PER_MASK, Q - 1, np.uint64)
    truth = BLOCKS_PER_MASK * word * (Q - 1) % Q
    sums = filled(0, LONGEST_TEMPLATE)
    sums[:, :] = total
    # What each row must give, made true in half of the rows by one coordinate.
    query = filled(HALF, LONGEST_TEMPLATE)
    rest = (truth - (LONGEST_TEMPLATE - 1) * total * HALF) * pow(total, -1, Q) % Q
    query[::2, 0] = rest - Q if rest > HALF else rest
    sound = np.zeros(RING_DEGREE, np.uint8)
    check_rows(words, words, weights, sums, query, query, 0, RING_DEGREE, sound)
    assert sound[::2].all() and not sound[1::2].any()


@pytest.mark.parametrize("word", [Q, 2**31 - 1, 2**31, 2**31 + Q - 1, 2**31 + Q, 2**32 - 1])
def test_words_beyond_the_modulus_are_refused_wherever_they_wrap_to(word: int) -> None:
    words = np.zeros((1, RING_DEGREE), np.uint32)
    words[0, 5] = word
    zeros, sound = np.zeros_like(words), np.zeros(RING_DEGREE, np.uint8)
    query, none = filled(0, 1), filled(0, 1)
    for face, mask in ((words, zeros), (zeros, words)):
        # A weight that is 0 mod q would hide any word from the sums.
        check_rows(face, mask, np.zeros(1, np.uint64), none, query, query, 0, RING_DEGREE, sound)
        assert not sound[5] and sound.sum() == RING_DEGREE - 1


@pytest.mark.parametrize("block", [HALF, -HALF, 2**31 - 1, -(2**31)])
def test_the_sum_of_the_heaviest_blocks(block: int) -> None:
    total, expected = filled(-HALF, 2), -HALF
    for weight in (Q - 1, 1, Q - 1):
        accumulate(total, filled(block, 2), weight)
        expected = (expected + weight * block) % Q
    assert (total == (expected - Q if expected > HALF else expected)).all()
    assert np.abs(total.astype(np.int64)).max() <= HALF


def test_the_largest_mask_times_the_largest_secret() -> None:
    out, secret = filled(0, 1), np.full(RING_DEGREE, Q - 1, np.uint32)
    for mask in (HALF, -HALF):
        add_product(np.full((RING_DEGREE, 1), Q - 1, np.uint32), filled(mask, 1), secret, out)
        expected = (Q - 1 + mask * (Q - 1)) % Q
        assert (out == (expected - Q if expected > HALF else expected)).all()


def test_a_damaged_block_wraps_around_and_fails_its_check() -> None:
    keys = ShelfKeys(Mask(bytes(32), LONGEST_TEMPLATE))
    key, honest = asking(HALF), filled(1, LONGEST_TEMPLATE)
    keys.put(0, BlockSecret(bytes(32)), honest, None)
    keys.check(key, Shelf([honest]).answer(key.query))
    for word in (2**31 - 1, -(2**31)):
        with pytest.raises(Tampered):
            keys.check(key, Shelf([filled(word, LONGEST_TEMPLATE)]).answer(key.query))


@pytest.mark.parametrize("word", [0, Q - 1])
def test_decryption_of_the_largest_words_stays_in_range(word: int) -> None:
    """Any words below q decrypt to a score within half of q: nothing wraps into a match beyond it."""
    keys = ShelfKeys(Mask(bytes(32), 1))
    keys.put(0, BlockSecret(bytes(32)), filled(0, 1), None)
    keys._secrets[:] = Q - 1
    for slot in range(RING_DEGREE):
        keys.let_live(0, slot)
    words = np.full((1, RING_DEGREE), word, np.uint32)
    found = keys.nearest(asking(HALF, 1), Answer(words, words.copy()))
    assert found and abs(found.score) <= 1.1
