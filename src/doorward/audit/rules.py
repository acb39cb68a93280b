"""The tree in the shapes of RFC 9162: how it grows, which nodes prove what, how proofs are checked."""

import json
from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha256

from doorward.audit.model import Entry, Frontier, Head, Segment
from doorward.core.encoding import canonical_json
from doorward.core.errors import Invalid

EMPTY_ROOT = sha256(b"").digest()
HEAD_PREFIX = b"doorward/1/audit-head\n"
# An entry of these kinds outlives its segment: it is the only trace of what is gone.
EXPIRED = "audit.expired"
KEPT_EVENTS = frozenset({EXPIRED, "subject.erased"})

Node = tuple[int, int]  # level (0 = leaves) and index within the level


def entry_bytes(entry: Entry) -> bytes:
    """The exact bytes that a leaf commits to: a JSON array of eight plain values."""
    return canonical_json(
        [
            entry.position,
            entry.site_id,
            entry.event,
            entry.actor,
            entry.subject_id,
            entry.at_us,
            entry.facts,
            entry.salt.hex(),
        ]
    )


def leaf_hash(content: bytes) -> bytes:
    """Hash of a leaf: SHA-256(0x00 || content)."""
    return sha256(b"\x00" + content).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Hash of an inner node: SHA-256(0x01 || left || right)."""
    return sha256(b"\x01" + left + right).digest()


def head_bytes(head: Head) -> bytes:
    """The exact bytes that a head's signature covers."""
    body = {"at_us": head.at_us, "key_id": head.key_id, "root": head.root.hex(), "size": head.size}
    return HEAD_PREFIX + canonical_json(body)


def runs_of(positions: Sequence[int]) -> list[list[int]]:
    """Ascending positions as runs: first and last of each."""
    runs: list[list[int]] = []
    for position in positions:
        if runs and runs[-1][1] == position - 1:
            runs[-1][1] = position
        else:
            runs.append([position, position])
    return runs


def read_expired(entry: Entry) -> list[Segment]:
    """Exactly the positions that an entry declares expired, as segments; none if it declares none."""
    if entry.event != EXPIRED:
        return []
    return [Segment(int(first), int(last)) for first, last in json.loads(entry.facts)["runs"]]


def grow(frontier: Frontier, leaf: bytes) -> tuple[Frontier, list[tuple[Node, bytes]]]:
    """The frontier with one more leaf, and the inner nodes that this leaf completed."""
    roots, made, carry = list(frontier.roots), [], leaf
    index, level = frontier.size, 0
    while index & 1:
        carry = node_hash(roots.pop(), carry)
        index, level = index >> 1, level + 1
        made.append(((level, index), carry))
    roots.append(carry)
    return Frontier(frontier.size + 1, tuple(roots)), made


def root_of(frontier: Frontier) -> bytes:
    """The tree's root: the frontier folded from the right."""
    return fold(frontier.roots)


def fold(roots: Sequence[bytes]) -> bytes:
    """One hash for neighbouring complete subtrees, largest first."""
    if not roots:
        return EMPTY_ROOT
    carry = roots[-1]
    for left in reversed(roots[:-1]):
        carry = node_hash(left, carry)
    return carry


def node_id(node: Node) -> int:
    """One number for a node: its place when the tree is read from left to right."""
    level, index = node
    return (index << (level + 1)) + (1 << level) - 1


def cover(start: int, end: int) -> list[Node]:
    """The complete subtrees that make up leaves `start` to `end` (excluded); `start` is aligned."""
    nodes = []
    while start < end:
        level = (end - start).bit_length() - 1
        nodes.append((level, start >> level))
        start += 1 << level
    return nodes


def inclusion_ranges(position: int, size: int) -> list[tuple[int, int]]:
    """The leaf ranges whose hashes make an inclusion path, lowest first (RFC 9162, 2.1.3.1)."""
    if not 0 <= position < size:
        raise Invalid("There is no entry at this position in a log of that size.")
    ranges, start, end = [], 0, size
    while end - start > 1:
        middle = start + _split(end - start)
        if position < middle:
            ranges.append((middle, end))
            end = middle
        else:
            ranges.append((start, middle))
            start = middle
    return ranges[::-1]


def consistency_ranges(first: int, second: int) -> list[tuple[int, int]]:
    """The leaf ranges whose hashes make a consistency path, lowest first (RFC 9162, 2.1.4.1)."""
    if not 0 < first <= second:
        raise Invalid("A consistency proof leads from a smaller log, not empty, to a larger one.")
    ranges, start, end, whole = [], 0, second, True
    while first != end:
        middle = start + _split(end - start)
        if first <= middle:
            ranges.append((middle, end))
            end = middle
        else:
            ranges.append((start, middle))
            start, whole = middle, False
    if not whole:
        ranges.append((start, end))
    return ranges[::-1]


def path_of(ranges: Iterable[tuple[int, int]], nodes: Mapping[Node, bytes]) -> tuple[bytes, ...]:
    """The hashes of ranges, from the complete nodes that `cover` names."""
    return tuple(fold([nodes[node] for node in cover(start, end)]) for start, end in ranges)


def includes(position: int, size: int, leaf: bytes, path: Sequence[bytes], root: bytes) -> bool:
    """Whether the path proves the leaf at its position under the root (RFC 9162, 2.1.3.2)."""
    if not 0 <= position < size:
        return False
    fn, sn, carry = position, size - 1, leaf
    for step in path:
        if sn == 0:
            return False
        if fn & 1 or fn == sn:
            carry = node_hash(step, carry)
            fn, sn = _climb(fn, sn)
        else:
            carry = node_hash(carry, step)
        fn, sn = fn >> 1, sn >> 1
    return sn == 0 and carry == root


def extends(first: int, second: int, path: Sequence[bytes], roots: tuple[bytes, bytes]) -> bool:
    """Whether the path proves that the larger tree begins with the smaller (RFC 9162, 2.1.4.2)."""
    if not 0 < first <= second:
        return False
    if first == second:
        return not path and roots[0] == roots[1]
    steps = [roots[0], *path] if first & (first - 1) == 0 else list(path)
    if not steps:
        return False
    fn, sn = first - 1, second - 1
    while fn & 1:
        fn, sn = fn >> 1, sn >> 1
    old = new = steps[0]
    for step in steps[1:]:
        if sn == 0:
            return False
        if fn & 1 or fn == sn:
            old, new = node_hash(step, old), node_hash(step, new)
            fn, sn = _climb(fn, sn)
        else:
            new = node_hash(new, step)
        fn, sn = fn >> 1, sn >> 1
    return sn == 0 and (old, new) == roots


def _climb(fn: int, sn: int) -> tuple[int, int]:
    """Skip the levels on which the right edge has no sibling."""
    while fn and not fn & 1:
        fn, sn = fn >> 1, sn >> 1
    return fn, sn


def _split(size: int) -> int:
    """The largest power of two smaller than `size`."""
    return 1 << ((size - 1).bit_length() - 1)
