"""Who searches which shelf, and what a worker on another machine does; no engine is needed for either."""

from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from doorward.core.errors import Tampered
from doorward.matching import messages
from doorward.matching.matcher import Answer
from doorward.matching.messages import WantedShelf
from doorward_matcher.placing import Placement
from doorward_matcher.shard import Shard
from tests.matcher.world import Decider

WHO = "0123456789abcdef"
NAMES = [f"shelf_{number}" for number in range(40)]


@pytest.mark.parametrize("workers", [1, 2, 3, 4, 7])
def test_no_worker_has_more_than_its_share_and_one(workers: int) -> None:
    loads = Counter(Placement(workers).of(NAMES))
    assert max(loads.values()) - -(-len(NAMES) // workers) <= 0
    assert len(loads) == workers


def test_a_shelf_stays_where_it_is() -> None:
    placement = Placement(4)
    before = placement.of(NAMES)
    placement.of([f"another_{number}" for number in range(40)])
    assert placement.of(NAMES) == before
    assert [placement.of([name])[0] for name in NAMES] == before
    assert Placement(4).of(NAMES) == before  # after a start anew


def test_another_worker_leaves_nearly_half_where_they_are() -> None:
    names = [f"shelf_{number}" for number in range(400)]
    before, after = Placement(9).of(names), Placement(10).of(names)
    assert sum(one != other for one, other in zip(before, after, strict=True)) < 0.6 * len(names)


def test_a_forgotten_shelf_gives_its_room_back() -> None:
    placement = Placement(2)
    placement.of(NAMES)
    placement.keep([])
    assert Counter(placement.of(["a", "b"])) == {0: 1, 1: 1}


@pytest.fixture
def away(tmp_path: Path) -> Shard:
    return Shard(tmp_path / "own", None, threads=1)


def asked(decider: Decider, *blocks: tuple[str, ...]) -> bytes:
    shelves = [WantedShelf(f"shelf_{number}", digests) for number, digests in enumerate(blocks)]
    return messages.encode_search(decider.query(), shelves)


def test_elsewhere_it_names_what_it_lacks_and_keeps_what_comes(
    away: Shard, decider: Decider, tmp_path: Path
) -> None:
    first, second = decider.sealed(2), decider.sealed(1)
    message = asked(decider, first, second)
    part = away.search(WHO, message, [0])
    assert (part.halves, part.missing) == ([], list(first))
    for digest in first:
        away.put(WHO, messages.encode_put(digest, decider.blocks.get(digest)))
    told = away.search(WHO, message, [0]).halves
    search = messages.decode_search(message)
    truth: list[Answer] = decider.truth(search.query, [search.shelves[0]])  # type: ignore[list-item]
    assert [np.array_equal(a, b) for a, b in zip(told[0], (truth[0].face, truth[0].mask), strict=True)] == [
        True,
        True,
    ]
    again = Shard(tmp_path / "own", None, threads=1)  # after a start anew it has them still
    assert again.search(WHO, message, [0]).missing == []
    assert again.search(WHO, message, [0, 1]).missing == list(second)


def test_each_decider_has_blocks_of_its_own(away: Shard, decider: Decider) -> None:
    (digest,) = decider.sealed()
    away.put(WHO, messages.encode_put(digest, decider.blocks.get(digest)))
    assert away.search("f" * 16, asked(decider, (digest,)), [0]).missing == [digest]


def test_a_block_under_a_false_name_is_refused(away: Shard, decider: Decider) -> None:
    one, other = decider.sealed(2)
    with pytest.raises(Tampered):
        away.put(WHO, messages.encode_put(one, decider.blocks.get(other)))


def test_a_damaged_block_is_asked_for_anew(away: Shard, decider: Decider, tmp_path: Path) -> None:
    (digest,) = decider.sealed()
    away.put(WHO, messages.encode_put(digest, decider.blocks.get(digest)))
    path = tmp_path / "own" / WHO / digest[:2] / digest
    path.chmod(0o600)
    raw = path.read_bytes()
    path.write_bytes(raw[:-1] + bytes([raw[-1] ^ 1]))
    assert away.search(WHO, asked(decider, (digest,)), [0]).missing == [digest]


def test_what_is_not_kept_is_forgotten(away: Shard, decider: Decider, tmp_path: Path) -> None:
    stays, goes = decider.sealed(2)
    for digest in (stays, goes):
        away.put(WHO, messages.encode_put(digest, decider.blocks.get(digest)))
    away.keep(WHO, frozenset([stays]), 600.0)
    assert away.search(WHO, asked(decider, (stays, goes)), [0]).missing == []  # it came lately
    away.keep(WHO, frozenset([stays]), -1.0)
    assert away.search(WHO, asked(decider, (stays, goes)), [0]).missing == [goes]


def test_beside_the_front_nothing_is_copied(tmp_path: Path, decider: Decider) -> None:
    (digest,) = decider.sealed()
    theirs = Decider(tmp_path / "front" / WHO)
    theirs.blocks.put(decider.blocks.get(digest))
    near = Shard(tmp_path / "own", tmp_path / "front", threads=1)
    assert near.search(WHO, asked(decider, (digest,)), [0]).missing == []
    assert not (tmp_path / "own").exists()
