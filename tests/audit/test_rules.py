from collections.abc import Sequence
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorward.audit.model import Frontier
from doorward.audit.rules import (
    EMPTY_ROOT,
    Node,
    consistency_ranges,
    cover,
    extends,
    grow,
    includes,
    inclusion_ranges,
    leaf_hash,
    node_hash,
    node_id,
    path_of,
    root_of,
)
from doorward.core.errors import Invalid

MOST = 70
# The leaves and roots that Certificate Transparency implementations of RFC 6962 share as their test vectors.
CT_LEAVES = [
    bytes.fromhex(text)
    for text in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
CT_ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
CT_PATHS = {
    (0, 8): ["96a296d2", "5f083f0a", "6b47aaf2"],
    (5, 8): ["bc1a0643", "ca854ea1", "d37ee418"],
    (2, 3): ["fac54203"],
    (1, 5): ["6e340b9c", "5f083f0a", "bc1a0643"],
}
CT_CONSISTENCY = {
    (1, 8): ["96a296d2", "5f083f0a", "6b47aaf2"],
    (6, 8): ["0ebc5d34", "ca854ea1", "d37ee418"],
    (2, 5): ["5f083f0a", "bc1a0643"],
}


def tree(leaves: Sequence[bytes]) -> tuple[list[bytes], dict[Node, bytes]]:
    frontier, nodes, roots = Frontier(0, ()), {}, [EMPTY_ROOT]
    for index, leaf in enumerate(leaves):
        frontier, made = grow(frontier, leaf)
        nodes[0, index] = leaf
        nodes.update(dict(made))
        roots.append(root_of(frontier))
    return roots, nodes


def mth(leaves: Sequence[bytes]) -> bytes:
    """The definition of RFC 9162, 2.1.1, word for word: the oracle."""
    if not leaves:
        return sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    return node_hash(mth(leaves[:split]), mth(leaves[split:]))


LEAVES = [leaf_hash(bytes([index])) for index in range(MOST)]
ROOTS, NODES = tree(LEAVES)


def test_the_roots_are_those_of_the_shared_vectors() -> None:
    roots, _ = tree([leaf_hash(content) for content in CT_LEAVES])
    assert [root.hex() for root in roots[1:]] == CT_ROOTS
    assert roots[0].hex() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


def test_the_paths_are_those_of_the_shared_vectors() -> None:
    _, nodes = tree([leaf_hash(content) for content in CT_LEAVES])
    for (position, size), starts in CT_PATHS.items():
        path = path_of(inclusion_ranges(position, size), nodes)
        assert [step.hex()[:8] for step in path] == starts
    for (first, second), starts in CT_CONSISTENCY.items():
        path = path_of(consistency_ranges(first, second), nodes)
        assert [step.hex()[:8] for step in path] == starts


def test_growing_gives_the_root_of_the_definition_at_every_size() -> None:
    assert [mth(LEAVES[:size]) for size in range(MOST + 1)] == ROOTS


def test_every_inclusion_proof_verifies_and_only_for_its_own_leaf_and_place() -> None:
    for size in range(1, MOST + 1):
        for position in range(size):
            path = path_of(inclusion_ranges(position, size), NODES)
            assert includes(position, size, LEAVES[position], path, ROOTS[size])
            assert not includes(position, size, LEAVES[(position + 1) % MOST], path, ROOTS[size])
            assert not includes(position, size, LEAVES[position], path, ROOTS[size - 1])
            assert not includes(position, size, LEAVES[position], (*path, LEAVES[0]), ROOTS[size])
            if path:
                assert not includes(position, size, LEAVES[position], path[:-1], ROOTS[size])
                other = (position + 1) % size
                assert not includes(other, size, LEAVES[position], path, ROOTS[size])


def test_every_consistency_proof_verifies_and_only_for_its_own_roots() -> None:
    for second in range(1, MOST + 1):
        for first in range(1, second + 1):
            path = path_of(consistency_ranges(first, second), NODES)
            assert extends(first, second, path, (ROOTS[first], ROOTS[second]))
            assert not extends(first, second, path, (ROOTS[first - 1], ROOTS[second]))
            assert not extends(first, second, path, (ROOTS[first], ROOTS[second - 1]))
            assert not extends(first, second, (*path, LEAVES[0]), (ROOTS[first], ROOTS[second]))
            if path:
                assert not extends(first, second, path[:-1], (ROOTS[first], ROOTS[second]))


@given(st.integers(1, MOST), st.data())
def test_any_flipped_bit_of_a_proof_breaks_it(size: int, data: st.DataObject) -> None:
    position = data.draw(st.integers(0, size - 1))
    path = list(path_of(inclusion_ranges(position, size), NODES))
    which = data.draw(st.integers(0, len(path)))
    bit = data.draw(st.integers(0, 255))
    parts = [LEAVES[position], *path]
    broken = bytearray(parts[which])
    broken[bit // 8] ^= 1 << bit % 8
    parts[which] = bytes(broken)
    assert not includes(position, size, parts[0], parts[1:], ROOTS[size])


@pytest.mark.parametrize(("position", "size"), [(0, 0), (-1, 3), (3, 3)])
def test_there_is_no_proof_for_a_place_outside_the_log(position: int, size: int) -> None:
    with pytest.raises(Invalid):
        inclusion_ranges(position, size)
    assert not includes(position, size, LEAVES[0], (), LEAVES[0])


@pytest.mark.parametrize(("first", "second"), [(0, 4), (5, 4), (-1, 2)])
def test_there_is_no_proof_from_an_empty_or_longer_log(first: int, second: int) -> None:
    with pytest.raises(Invalid):
        consistency_ranges(first, second)
    assert not extends(first, second, (), (ROOTS[0], ROOTS[4]))
    assert not extends(3, 5, (), (ROOTS[3], ROOTS[5]))


@given(st.integers(0, 2**40), st.integers(1, 2**20))
def test_a_proof_needs_few_nodes_however_long_the_log(start: int, more: int) -> None:
    size = start + more
    needed = [node for a, b in inclusion_ranges(start, size) for node in cover(a, b)]
    assert len(needed) <= 2 * size.bit_length()
    assert len({node_id(node) for node in needed}) == len(set(needed))


def test_every_node_has_a_number_of_its_own() -> None:
    nodes = [(level, index) for level in range(12) for index in range(2**11 >> level)]
    assert sorted(node_id(node) for node in nodes) == list(range(2**12 - 1))
