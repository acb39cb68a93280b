"""Proofs about parts of the log, each from a few stored nodes."""

from collections.abc import Iterable

from doorward.audit import store
from doorward.audit.model import ConsistencyProof, InclusionProof, Leaf, Ledger, LedgerEntry
from doorward.audit.rules import consistency_ranges, cover, inclusion_ranges, path_of, root_of
from doorward.audit.service.recording import record, written
from doorward.core.errors import NotFound, Tampered
from doorward.core.permissions import EVERY_SITE
from doorward.platform.db import Unit

Ranges = list[tuple[int, int]]


def prove_inclusion(unit: Unit, position: int, size: int) -> InclusionProof:
    """That the entry at a position belongs to the log of `size` entries; `Invalid` if it cannot."""
    _require_size(unit, size)
    ranges = inclusion_ranges(position, size)
    return InclusionProof(position, size, _paths(unit, [ranges])[0])


def prove_consistency(unit: Unit, first: int, second: int) -> ConsistencyProof:
    """That the log of `second` entries begins with the log of `first`."""
    _require_size(unit, second)
    return ConsistencyProof(first, second, _paths(unit, [consistency_ranges(first, second)])[0])


def present_root(unit: Unit) -> tuple[int, bytes]:
    """How long the log is and its root, with what this unit recorded so far."""
    frontier = store.read_frontier(written(unit))
    return frontier.size, root_of(frontier)


def begins_with(unit: Unit, size: int, root: bytes) -> bool:
    """Whether the log of `size` entries had this root: what was written since goes on from there."""
    if not 0 < size <= store.read_frontier(written(unit)).size:
        return False
    return _paths(unit, [[(0, size)]])[0][0] == root


def find_leaf(unit: Unit, position: int) -> Leaf:
    """What is stored at a position, if it belongs to the unit's site; else `NotFound`."""
    leaf = store.find_leaf(written(unit), position)
    if leaf is None or not _may_see(unit, leaf):
        raise NotFound("There is no such entry here, or its segment has expired.")
    return leaf


def ledger_of(unit: Unit, subject_id: str) -> Ledger:
    """Everything recorded at this site about one subject, with proofs; the look is recorded too."""
    entries = store.list_about(written(unit), unit.site_id, subject_id)
    head = store.find_head(unit.rows)
    size = head.head.size if head is not None else 0
    covered = [entry.position for entry in entries if entry.position < size]
    paths = _paths(unit, [inclusion_ranges(position, size) for position in covered])
    proofs = {
        position: InclusionProof(position, size, path) for position, path in zip(covered, paths, strict=True)
    }
    record(unit, "audit.ledger_read", subject_id=subject_id, entries=len(entries))
    return Ledger(tuple(LedgerEntry(entry, proofs.get(entry.position)) for entry in entries), head)


def _paths(unit: Unit, wanted: Iterable[Ranges]) -> list[tuple[bytes, ...]]:
    wanted = list(wanted)
    names = {node for ranges in wanted for start, end in ranges for node in cover(start, end)}
    nodes = store.get_nodes(written(unit), names)
    if len(nodes) != len(names):
        raise Tampered("The audit log has lost nodes: run `doorward audit verify`.")
    return [path_of(ranges, nodes) for ranges in wanted]


def _require_size(unit: Unit, size: int) -> None:
    if size > store.read_frontier(written(unit)).size:
        raise NotFound("The audit log is not that long yet.")


def _may_see(unit: Unit, leaf: Leaf) -> bool:
    if unit.site_id == EVERY_SITE:
        return True
    return leaf.entry is not None and leaf.entry.site_id == unit.site_id
