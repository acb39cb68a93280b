"""Messages: one reading for each, a sentence for anything else, and no memory on a stranger's word."""

import struct
import tracemalloc
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from doorward.core.errors import Invalid
from doorward.matching import messages
from doorward.matching.matcher import Answer
from doorward.matching.messages import Kind, WantedShelf
from doorward.matching.parameters import MODULUS, RING_DEGREE
from doorward.matching.queries import Query

DIGESTS = st.binary(min_size=32, max_size=32).map(bytes.hex)
SHELVES = st.lists(
    st.builds(
        WantedShelf,
        st.from_regex(r"[a-z0-9_]{1,64}", fullmatch=True),
        st.lists(DIGESTS, max_size=64).map(tuple),
    ),
    min_size=1,
    max_size=4,
)


def query(seed: int = 0, length: int = 2) -> Query:
    face = np.random.default_rng(seed).integers(-MODULUS // 2 + 1, MODULUS // 2, (RING_DEGREE, length))
    return Query(face.astype(np.int32), bytes(range(32)))


ONE = [WantedShelf("shelf_1", ("ab" * 32, "cd" * 32))]
WORDS = np.arange(2 * RING_DEGREE, dtype=np.uint32).reshape(2, RING_DEGREE)
SAMPLES: list[tuple[bytes, Callable[[bytes], object]]] = [
    (messages.encode_search(query(), ONE), messages.decode_search),
    (messages.encode_put("ef" * 32, query().face), messages.decode_put),
    (messages.encode_list(Kind.KEEP, ["ab" * 32]), lambda raw: messages.decode_list(raw, Kind.KEEP)),
    (
        b"".join(messages.encode_answers([Answer(WORDS, WORDS)])),
        lambda raw: messages.decode_answers(raw, ONE),
    ),
    (messages.encode_done(), messages.decode_done),
    (messages.encode_fault("busy"), messages.decode_fault),
]


@given(SHELVES, st.integers(0, 99))
@settings(max_examples=25, deadline=None)
def test_a_search_is_read_as_it_was_written(shelves: list[WantedShelf], seed: int) -> None:
    asked = query(seed)
    found = messages.decode_search(messages.encode_search(asked, shelves))
    assert found.shelves == tuple(shelves)
    assert np.array_equal(found.query.face, asked.face)
    assert found.query.mask_seed == asked.mask_seed


@given(st.lists(DIGESTS, max_size=20))
@settings(deadline=None)
def test_a_list_is_read_as_it_was_written(digests: list[str]) -> None:
    for kind in (Kind.AMONG, Kind.KEEP, Kind.LACKS):
        assert messages.decode_list(messages.encode_list(kind, digests), kind) == digests


def test_blocks_and_answers_are_read_as_they_were_written() -> None:
    digest, cells = messages.decode_put(messages.encode_put("ef" * 32, query().face))
    assert digest == "ef" * 32
    assert np.array_equal(cells, query().face)
    empty = np.empty((0, RING_DEGREE), np.uint32)
    shelves = [*ONE, WantedShelf("shelf_2", ())]
    raw = b"".join(messages.encode_answers([Answer(WORDS, WORDS + 1), Answer(empty, empty)]))
    first, second = messages.decode_answers(raw, shelves)
    assert np.array_equal(first.mask, WORDS + 1)
    assert second.face.shape == (0, RING_DEGREE)
    assert len(raw) == messages.largest_answer(shelves)
    assert messages.decode_fault(messages.encode_fault("no-such-path")) == "no-such-path"


@pytest.mark.parametrize(("raw", "decode"), SAMPLES)
def test_every_cut_and_every_addition_is_refused(raw: bytes, decode: Callable[[bytes], object]) -> None:
    decode(raw)
    for size in {0, 1, 8, 11, 12, 13, 16, 47, 48, 60, len(raw) // 2, len(raw) - 1} - {len(raw)}:
        if size < len(raw):
            with pytest.raises(Invalid):
                decode(raw[:size])
    with pytest.raises(Invalid):
        decode(raw + b"\0")


@given(st.data())
@settings(max_examples=150, deadline=None)
def test_a_changed_head_is_refused_or_read_never_a_crash(data: st.DataObject) -> None:
    """The first 100 bytes hold every length; whatever stands there, nothing but `Invalid` comes out."""
    raw, decode = data.draw(st.sampled_from(SAMPLES))
    changed = bytearray(raw)
    for _ in range(data.draw(st.integers(1, 4))):
        changed[data.draw(st.integers(0, min(len(raw), 100) - 1))] = data.draw(st.integers(0, 255))
    try:
        decode(bytes(changed))
    except Invalid:
        assert bytes(changed) != raw


@given(st.binary(max_size=400))
@settings(max_examples=100, deadline=None)
def test_noise_is_refused(noise: bytes) -> None:
    for _, decode in SAMPLES:
        for raw in (noise, messages.encode_done()[:8] + noise):
            if raw not in (sample for sample, _ in SAMPLES):
                with pytest.raises(Invalid):
                    decode(raw)


def test_a_stated_length_costs_no_memory() -> None:
    head = messages.encode_list(Kind.KEEP, [])[:12]
    huge = [
        head + struct.pack("<I", 1 << 18),
        messages.encode_put("ab" * 32, query().face)[:12] + b"\0\2" + bytes(34),
    ]
    tracemalloc.start()
    for raw, decode in zip(huge, [SAMPLES[2][1], SAMPLES[1][1]], strict=True):
        with pytest.raises(Invalid):
            decode(raw)
    assert tracemalloc.get_traced_memory()[1] < 100_000
    tracemalloc.stop()


def test_numbers_outside_the_ring_are_no_query() -> None:
    raw = bytearray(SAMPLES[0][0])
    raw[48:52] = struct.pack("<i", MODULUS)
    with pytest.raises(Invalid):
        messages.decode_search(bytes(raw))


def test_another_version_is_told_so() -> None:
    raw = bytearray(SAMPLES[0][0])
    raw[4] += 1
    with pytest.raises(Invalid, match="version"):
        messages.decode_search(bytes(raw))


@pytest.mark.parametrize(
    "shelf", [WantedShelf("", ()), WantedShelf("Anna Arendt", ()), WantedShelf("a" * 65, ())]
)
def test_a_shelf_is_never_named_after_anything(shelf: WantedShelf) -> None:
    with pytest.raises(Invalid):
        messages.encode_search(query(), [shelf])


def test_bounds_hold_for_the_sender_too() -> None:
    for shelves in ([], ONE * 65, [WantedShelf("a", ("ab" * 32,) * 65)], [WantedShelf("a", ("zz",))]):
        with pytest.raises(Invalid):
            messages.encode_search(query(), shelves)
