"""Ciphertexts, shelves and templates that are none, at the port and the service: refused, nothing breaks."""

import struct
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from doorward.core.errors import DoorwardError, Invalid, NotFound
from doorward.gallery import service
from doorward.gallery.drivers.local_matcher import LocalMatcher
from doorward.gallery.model import Wanted
from doorward.matching import messages
from doorward.matching.block_files import FolderBlocks
from doorward.matching.blocks import Mask, seal
from doorward.matching.messages import LARGEST_SEARCH, Kind, WantedShelf
from doorward.matching.parameters import BLOCKS_PER_MASK, MODULUS, RING_DEGREE
from doorward.matching.queries import Asker, Query
from tests.gallery.site import Site, direction, name

LENGTH = 8
QUERY = Asker(LENGTH).ask(np.zeros(LENGTH, np.int32)).query
SEARCH = messages.encode_search(QUERY, [WantedShelf("shelf_a", ("ab" * 32,))])


@pytest.fixture
def port(tmp_path: Path) -> tuple[LocalMatcher, str]:
    """A matcher, and the one block that it has."""
    blocks = FolderBlocks(tmp_path / "gallery")
    cells, _ = seal(np.zeros((1, LENGTH), np.int32), Mask.fresh(LENGTH))
    return LocalMatcher(blocks), blocks.put(cells)


def test_shelves_that_are_none_are_refused_and_the_next_is_answered(port: tuple[LocalMatcher, str]) -> None:
    matcher, digest = port
    for digests in [("cd" * 32,), (digest, "cd" * 32), ("../../keys/root.key",), ("",), (digest.upper(),)]:
        with pytest.raises(NotFound):
            matcher.answer(QUERY, [Wanted("shelf_a", digests)])
    with pytest.raises(Invalid):
        matcher.answer(QUERY, [Wanted("shelf_a", (digest,) * (BLOCKS_PER_MASK + 1))])
    with pytest.raises(Invalid):
        matcher.answer(Asker(16).ask(np.zeros(16, np.int32)).query, [Wanted("shelf_a", (digest,))])
    (answer,) = matcher.answer(QUERY, [Wanted("shelf_a", (digest,))])
    assert answer.face.shape == (1, RING_DEGREE)


@pytest.mark.parametrize(
    "face",
    [
        np.zeros((RING_DEGREE, 0), np.int32),
        np.zeros((RING_DEGREE, 1 << 10), np.int32),
        np.zeros((RING_DEGREE + 1, LENGTH), np.int32),
        np.zeros((RING_DEGREE, LENGTH), np.float32),
        np.full((RING_DEGREE, LENGTH), MODULUS, np.int32),
        np.full((RING_DEGREE, LENGTH), -(2**31), np.int32),
        np.zeros(1, np.int32),
    ],
)
def test_ciphertexts_that_are_none_are_never_made(face: np.ndarray) -> None:
    with pytest.raises(Invalid):
        Query(face, bytes(32))


@given(place=st.integers(0, len(SEARCH) - 1), value=st.integers(0, 255))
@settings(max_examples=200, deadline=None)
def test_no_byte_of_a_search_brings_a_reader_down(place: int, value: int) -> None:
    spoilt = bytearray(SEARCH)
    spoilt[place] = value
    try:
        search = messages.decode_search(bytes(spoilt))
    except Invalid:
        return
    assert search.query.face.shape == (RING_DEGREE, LENGTH)
    assert len(search.shelves) == 1


@given(cut=st.integers(0, len(SEARCH) - 1), more=st.binary(min_size=1, max_size=64))
@settings(max_examples=100, deadline=None)
def test_a_search_is_neither_shorter_nor_longer_than_it_says(cut: int, more: bytes) -> None:
    for spoilt in (SEARCH[:cut], SEARCH + more):
        with pytest.raises(Invalid):
            messages.decode_search(spoilt)


def test_a_message_that_promises_gigabytes_allocates_none_of_them() -> None:
    head = SEARCH[:12]
    for body in (
        struct.pack("<HH", 0xFFFF, 0xFFFF) + bytes(32),
        struct.pack("<HH", LENGTH, 0xFFFF) + SEARCH[16:],
        struct.pack("<HH", 512, 64) + bytes(64),
        bytes(LARGEST_SEARCH),
    ):
        with pytest.raises(Invalid):
            messages.decode_search(head + body)
    many = SEARCH[:8] + bytes([Kind.AMONG]) + bytes(3) + struct.pack("<I", 0xFFFFFFFF)
    with pytest.raises(Invalid):
        messages.decode_list(many, Kind.AMONG)


NONE = [
    np.zeros(128, np.float32),
    np.full(128, np.nan, np.float32),
    np.full(128, np.inf, np.float32),
    np.full(128, 1e18, np.float32),
    np.full(128, -1, np.float32),
    direction(1) * np.float32(1.02),
    direction(1)[:127],
    direction(1)[:0],
    np.concatenate([direction(1), direction(2)]),
    np.tile(direction(1), 8),
]


@pytest.mark.parametrize("template", NONE, ids=range(len(NONE)))
def test_a_template_that_is_none_is_neither_enrolled_nor_asked_and_nothing_changes(
    site: Site,
    template: np.ndarray,
) -> None:
    site.enrol(1)
    before = site.blocks_now()
    for deed in (
        lambda unit: service.enrol(unit, site.keyholder, {name(2): template}),
        lambda unit: service.enrol(unit, site.keyholder, {name(2): direction(2), name(3): template}),
        lambda unit: service.identify(unit, site.keyholder, template, 0.5),
        lambda unit: service.verify(unit, site.keyholder, name(1), template, 0.5),
    ):
        with pytest.raises(DoorwardError) as refused, site.unit() as unit:
            deed(unit)
        assert isinstance(refused.value, Invalid)
    assert site.blocks_now() == before
    assert (site.who(1), site.who(2)) == (name(1), None)
    assert site.events("gallery.answer-forged") == 0


def test_an_object_that_was_cut_or_grew_on_the_disk_is_made_anew(site: Site) -> None:
    site.enrol(1, 2)
    for harm in (
        lambda raw: raw[:-4],
        lambda raw: raw + raw,
        lambda raw: raw + bytes(8192),
        lambda _raw: b"",
    ):
        (block,) = site.blocks_now()
        path = site.folder / block.digest[:2] / block.digest
        path.write_bytes(harm(path.read_bytes()))
        fresh = site.another_process()
        assert [fresh.who(seed) for seed in (1, 2, 3)] == [name(1), name(2), None]
        site = fresh
