"""How many may be inside, which doors may be open together, and who must come in pairs."""

from datetime import timedelta

from doorward.gates.model import (
    Direction,
    DoorStatus,
    Finding,
    OccupancyEvent,
    Peer,
    Refusal,
    Seen,
    Situation,
    Strictness,
    Subject,
    Zone,
)
from doorward.gates.rules.standing import may_pass

LONGEST_EXIT_WAIT = timedelta(seconds=30)
INTERLOCKED = Refusal.INTERLOCKED
PERSON = "person"


def check_capacity(seen: Seen, situation: Situation) -> Finding:
    """Fail if there is no room for whoever enters; groups that may always enter still count."""
    zone = situation.to_zone
    if zone is None or zone.capacity is None or zone.capacity_rule is Strictness.OFF:
        return Finding("capacity", True, "no limit")
    count = f"{situation.inside}/{zone.capacity} inside"
    entering = _ordinary(zone, (seen.leading, companion_of(seen, situation)))
    if situation.inside + entering <= zone.capacity:
        return Finding("capacity", True, count)
    if not entering:
        return Finding("capacity", True, f"{count}, may always enter")
    soft = zone.capacity_rule is Strictness.SOFT
    return Finding("capacity", False, count, Refusal.ZONE_FULL, soft=soft)


def _ordinary(zone: Zone, entering: tuple[Subject | None, ...]) -> int:
    """How many of those who enter may do so only while there is room."""
    always = frozenset(zone.capacity_bypass_group_ids)
    return sum(1 for one in entering if one is not None and not one.group_ids & always)


def check_interlock(seen: Seen, situation: Situation) -> Finding:
    """Fail unless every other door of the set is known to be closed and locked.

    On the way out only a door that is open in the ordinary way, or about to be, is waited for, and for no
    longer than `LONGEST_EXIT_WAIT`: one that is held, forced or silent would lock somebody in between.
    """
    leaving = situation.gate.direction is Direction.OUT
    for peer in situation.peers:
        if leaving and not _is_waited_for(peer, seen, situation):
            continue
        if not peer.is_known:
            return Finding("interlock", False, "another door never said that it is closed", INTERLOCKED)
        if peer.status is not DoorStatus.CLOSED:
            return Finding("interlock", False, f"another door is {peer.status}", INTERLOCKED)
    return Finding("interlock", True, "no other door of the set is open")


def _is_waited_for(peer: Peer, seen: Seen, situation: Situation) -> bool:
    """Whether this is a door that soon shuts by itself; a clock that was set back ends the wait."""
    now, zero = seen.received_at, timedelta(0)
    if peer.status is not DoorStatus.OPEN or peer.since is None:
        return False
    begun = (peer.since, situation.waits_since or now)
    return all(zero <= now - since < LONGEST_EXIT_WAIT for since in begun)


def check_second_person(seen: Seen, situation: Situation) -> Finding:
    """Fail until a second, different person who may pass here asks within the gate's time."""
    seconds = situation.gate.two_person_seconds
    if seconds is None:
        return Finding("second-person", True, "one person suffices")
    if companion_of(seen, situation) is not None:
        return Finding("second-person", True, "a second person came in time")
    return Finding("second-person", False, f"waits {seconds} s for another", Refusal.SECOND_PERSON_NEEDED)


def companion_of(seen: Seen, situation: Situation) -> Subject | None:
    """The other person who waits at this gate, is not yet too late, and may still pass.

    A vehicle is nobody's companion, and nobody is a vehicle's: one driver would be two.
    """
    seconds, leading = situation.gate.two_person_seconds, seen.leading
    if seconds is None or leading is None or leading.kind != PERSON:
        return None
    asking, limit = {one.id for one in seen.subjects}, timedelta(seconds=seconds)
    for one in situation.waiting:
        in_time = timedelta(0) <= seen.received_at - one.since <= limit
        other = one.subject.kind == PERSON and one.subject.id not in asking
        if in_time and other and may_pass(one.subject, seen.received_at, situation):
            return one.subject
    return None


def occupancy_event(before: int, after: int, capacity: int | None) -> OccupancyEvent | None:
    """What staff should hear when a head count moves from one number to another."""
    if capacity is None or before == after:
        return None
    if after > capacity:
        return OccupancyEvent.EXCEEDED if after > before else None
    if after == capacity:
        return OccupancyEvent.REACHED
    return OccupancyEvent.BELOW if before >= capacity else None
