"""How many may be inside, which doors may be open together, and who must come in pairs."""

from datetime import timedelta

from doorward.gates.model import (
    Direction,
    DoorStatus,
    Finding,
    OccupancyEvent,
    Refusal,
    Seen,
    Situation,
    Strictness,
    Waiting,
)


def check_capacity(seen: Seen, situation: Situation) -> Finding:
    """Fail if the zone behind the gate is full; groups that may always enter still count."""
    zone = situation.to_zone
    if zone is None or zone.capacity is None or zone.capacity_rule is Strictness.OFF:
        return Finding("capacity", True, "no limit")
    count = f"{situation.inside}/{zone.capacity} inside"
    if situation.inside < zone.capacity:
        return Finding("capacity", True, count)
    leading = seen.leading
    if leading is not None and leading.group_ids.intersection(zone.capacity_bypass_group_ids):
        return Finding("capacity", True, f"{count}, may always enter")
    soft = zone.capacity_rule is Strictness.SOFT
    return Finding("capacity", False, count, Refusal.ZONE_FULL, soft=soft)


def check_interlock(_seen: Seen, situation: Situation) -> Finding:
    """Fail while another door of the set stands open.

    On the way out only a door that is open in the ordinary way is waited for: one that is held, forced or
    silent would lock somebody in between.
    """
    leaving = situation.gate.direction is Direction.OUT
    for peer in situation.peers:
        if peer.status is DoorStatus.OPEN or (not leaving and peer.status is not DoorStatus.CLOSED):
            return Finding("interlock", False, f"another door is {peer.status}", Refusal.INTERLOCKED)
    return Finding("interlock", True, "no other door of the set is open")


def check_second_person(seen: Seen, situation: Situation) -> Finding:
    """Fail until a second, different person whose grant holds asks within the gate's time."""
    seconds, leading = situation.gate.two_person_seconds, seen.leading
    if seconds is None:
        return Finding("second-person", True, "one person suffices")
    if leading is not None and companion_of(leading.id, seen, situation) is not None:
        return Finding("second-person", True, "a second person came in time")
    return Finding("second-person", False, f"waits {seconds} s for another", Refusal.SECOND_PERSON_NEEDED)


def companion_of(subject_id: str, seen: Seen, situation: Situation) -> Waiting | None:
    """Whoever else waits at this gate and is not yet too late."""
    if situation.gate.two_person_seconds is None:
        return None
    limit = timedelta(seconds=situation.gate.two_person_seconds)
    return next(
        (
            waiting
            for waiting in situation.waiting
            if waiting.subject_id != subject_id and timedelta(0) <= seen.received_at - waiting.since <= limit
        ),
        None,
    )


def occupancy_event(before: int, after: int, capacity: int | None) -> OccupancyEvent | None:
    """What staff should hear when a head count moves from one number to another."""
    if capacity is None or before == after:
        return None
    if after > capacity:
        return OccupancyEvent.EXCEEDED if after > before else None
    if after == capacity:
        return OccupancyEvent.REACHED
    return OccupancyEvent.BELOW if before >= capacity else None
