"""Who a roll-call still looks for."""

from collections.abc import Iterable

from doorward.gates.model import Expected, Presence, RollCall

VEHICLE = "vehicle_"  # how the ids of vehicles begin


def expected_from(call: RollCall, present: Iterable[Presence]) -> tuple[Expected, ...]:
    """Everybody counted in the roll-call's zones when it began, each once, at their latest place.

    Vehicles are counted inside too, but nobody looks for them.
    """
    latest: dict[str, Presence] = {}
    for one in present:
        if (
            one.subject_id.startswith(VEHICLE)
            or one.zone_id is None
            or (call.zone_ids and one.zone_id not in call.zone_ids)
        ):
            continue
        if one.subject_id not in latest or latest[one.subject_id].since < one.since:
            latest[one.subject_id] = one
    return tuple(
        Expected(subject_id=one.subject_id, zone_id=one.zone_id, since=one.since)
        for one in sorted(latest.values(), key=lambda p: (p.zone_id or "", p.subject_id))
    )


def missing(everybody: Iterable[Expected]) -> tuple[Expected, ...]:
    """Those nobody has marked safe."""
    return tuple(one for one in everybody if one.safe_at is None)
