"""Anti-passback: one credential lets one person in once."""

from datetime import datetime, timedelta

from doorward.gates.model import (
    Direction,
    Finding,
    Refusal,
    Seen,
    Situation,
    Strictness,
    Whereabouts,
    Zone,
)

RULE = "passback"


def check_passback(seen: Seen, situation: Situation) -> Finding:
    """Fail if the door or zone was used too lately, or the person is not where they would come from.

    Whoever leaves a zone that they never entered broke the same rule; a way out notes it and opens.
    """
    where, leading = situation.whereabouts, seen.leading
    if leading is None or where is None:
        return Finding(RULE, True, "no earlier passage counts")
    if leading.passback_exempt or where.forgiven:
        return Finding(RULE, True, "exempt" if leading.passback_exempt else "forgiven")
    broken = [f for f in (_door(seen, situation), _zone(seen, situation), _area(seen, situation)) if f]
    hard = next((f for f in broken if not f.soft), None)
    return hard or (broken[0] if broken else Finding(RULE, True, "comes from where they should"))


def known_zone(where: Whereabouts, zone: Zone | None, now: datetime) -> str | None:
    """The zone somebody counts as being in; a presence older than the zone's timeout is unknown."""
    if where.since is None or zone is None or zone.presence_timeout_seconds is None:
        return where.zone_id
    fresh = now - where.since < timedelta(seconds=zone.presence_timeout_seconds)
    return where.zone_id if fresh else None


def _door(seen: Seen, situation: Situation) -> Finding | None:
    gate, where = situation.gate, situation.whereabouts
    assert where is not None
    if gate.door_passback is Strictness.OFF:
        return None
    if not _within(where.through_door_at, gate.door_passback_seconds, seen, situation):
        return None
    return _broken(gate.door_passback, Refusal.TOO_SOON, "used this door a moment ago")


def _zone(seen: Seen, situation: Situation) -> Finding | None:
    zone, where = situation.to_zone, situation.whereabouts
    assert where is not None
    if zone is None or zone.timed_passback is Strictness.OFF:
        return None
    if not _within(where.into_zone_at, zone.timed_passback_seconds, seen, situation):
        return None
    return _broken(zone.timed_passback, Refusal.TOO_SOON, "entered this zone a moment ago")


def _area(seen: Seen, situation: Situation) -> Finding | None:
    zone, where = situation.to_zone, situation.whereabouts
    assert where is not None
    left = situation.from_zone
    if situation.gate.direction is Direction.OUT and left and left.area_passback is not Strictness.OFF:
        if known_zone(where, left, seen.received_at) == left.id:
            return None
        return _broken(left.area_passback, Refusal.PASSED_BACK, "leaves without having entered")
    if zone is None or zone.area_passback is Strictness.OFF:
        return None
    now_in = known_zone(where, zone, seen.received_at)
    if now_in == zone.id:
        return _broken(zone.area_passback, Refusal.PASSED_BACK, "counts as already inside")
    if now_in is not None and now_in != situation.gate.from_zone_id:
        return _broken(zone.area_passback, Refusal.PASSED_BACK, "counts as being in another zone")
    return None


def _within(last: datetime | None, seconds: int, seen: Seen, situation: Situation) -> bool:
    """Whether an earlier passage is too near; one in the future is of before a clock was set back."""
    if last is None:
        return False
    return -situation.clock_tolerance <= seen.received_at - last < timedelta(seconds=seconds)


def _broken(strictness: Strictness, refusal: Refusal, detail: str) -> Finding:
    return Finding(RULE, False, detail, refusal, soft=strictness is Strictness.SOFT)
