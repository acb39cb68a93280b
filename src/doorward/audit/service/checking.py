"""Walking over everything stored and computing it anew."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice

from doorward.audit import store
from doorward.audit.model import Entry, Frontier, Leaf, Segment, SignedHead, Verification
from doorward.audit.rules import EMPTY_ROOT, Node, entry_bytes, grow, leaf_hash, read_expired, root_of
from doorward.audit.service.heads import require_genuine
from doorward.audit.service.recording import written
from doorward.core.errors import Tampered
from doorward.platform.db import Unit

AT_ONCE = 500


@dataclass(slots=True)
class _Walk:
    """What a check has seen so far."""

    frontier: Frontier = field(default_factory=lambda: Frontier(0, ()))
    gone: list[Segment] = field(default_factory=list)
    announced: list[Segment] = field(default_factory=list)
    checked: int = 0  # size of the last signed head that fitted


def verify(unit: Unit, trusted: Mapping[str, bytes]) -> Verification:
    """Check every entry, node, head and signature; `Tampered` names the first broken position.

    `trusted` are the verification keys by key id, the newest last, from the key ring and not from the log.
    """
    signed = store.list_heads(unit.rows)
    for head in signed:
        require_genuine(head, trusted)
    _require_newest(signed, trusted)
    by_size: dict[int, list[SignedHead]] = {}
    for head in signed:
        by_size.setdefault(head.head.size, []).append(head)
    walk = _Walk()
    _require_root(walk, by_size.pop(0, []))
    for batch in _batches(store.walk_leaves(written(unit))):
        made: dict[Node, bytes] = {}
        for leaf in batch:
            _take(walk, leaf, made)
            _require_root(walk, by_size.pop(walk.frontier.size, []))
        _require_nodes(unit, made, batch[0].position)
    _require_end(unit, walk, by_size)
    expired = sum(segment.last - segment.first + 1 for segment in walk.gone)
    return Verification(walk.frontier.size, expired, len(signed), root_of(walk.frontier))


def _require_newest(signed: Iterable[SignedHead], trusted: Mapping[str, bytes]) -> None:
    """A key that was replaced may lie in somebody's drawer: it vouches only for what the newest does too."""
    newest = list(trusted)[-1] if trusted else None
    vouched = max((one.head.size for one in signed if one.head.key_id == newest), default=-1)
    for one in signed:
        if one.head.size > vouched:
            raise Tampered(
                f"The head of size {one.head.size} is signed by a key that was replaced, and none so large "
                f"by the newest: the log was cut off, or its newest key has signed nothing yet.",
                size=one.head.size,
            )


def _take(walk: _Walk, leaf: Leaf, made: dict[Node, bytes]) -> None:
    position = walk.frontier.size
    if leaf.position != position:
        raise _broken("An entry is missing", position)
    if leaf.entry is None:
        _note_gone(walk, position)
    elif leaf_hash(entry_bytes(leaf.entry)) != leaf.digest:
        raise _broken("An entry does not fit its hash", position)
    else:
        _note_announced(walk, leaf.entry)
    walk.frontier, nodes = grow(walk.frontier, leaf.digest)
    made.update(nodes)


def _note_gone(walk: _Walk, position: int) -> None:
    if walk.gone and walk.gone[-1].last == position - 1:
        walk.gone[-1] = Segment(walk.gone[-1].first, position)
    else:
        walk.gone.append(Segment(position, position))


def _note_announced(walk: _Walk, entry: Entry) -> None:
    walk.announced += read_expired(entry)


def _require_root(walk: _Walk, signed: Iterable[SignedHead]) -> None:
    """The root signed at this size; a rewrite that hashes well shows here at the latest."""
    for head in signed:
        root = root_of(walk.frontier) if walk.frontier.size else EMPTY_ROOT
        if head.head.root != root:
            raise Tampered(
                f"The audit log was rewritten between position {walk.checked} and "
                f"{walk.frontier.size - 1}: its root is not the one that was signed.",
                first=walk.checked,
                last=walk.frontier.size - 1,
            )
        walk.checked = walk.frontier.size


def _require_nodes(unit: Unit, made: Mapping[Node, bytes], start: int) -> None:
    stored = store.get_nodes(unit.rows, made)
    for (level, index), digest in made.items():
        if stored.get((level, index)) != digest:
            raise _broken("A node of the tree does not fit the entries below it", max(start, index << level))


def _require_end(unit: Unit, walk: _Walk, left: Mapping[int, object]) -> None:
    if left:
        raise Tampered(
            f"The audit log ends at position {walk.frontier.size - 1}, before a head that was signed.",
            first=walk.frontier.size,
        )
    if store.read_frontier(unit.rows) != walk.frontier:
        raise _broken("The log's frontier does not fit its entries", walk.frontier.size)
    for segment in walk.gone:
        _require_announced(segment, walk.announced)


def _require_announced(gone: Segment, announced: Iterable[Segment]) -> None:
    position = gone.first
    for segment in sorted(announced, key=lambda each: each.first):
        if segment.first <= position <= segment.last:
            position = segment.last + 1
    if position <= gone.last:
        raise _broken("An entry lost its body without an expiry in the log", position)


def _broken(what: str, position: int) -> Tampered:
    return Tampered(f"{what} at position {position} of the audit log.", position=position)


def _batches(leaves: Iterator[Leaf]) -> Iterator[list[Leaf]]:
    while batch := list(islice(leaves, AT_ONCE)):
        yield batch
