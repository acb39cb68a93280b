"""Keeping count of who is where."""

from doorward.audit.service import record
from doorward.core.errors import Invalid
from doorward.gates.model import (
    AlarmKind,
    Gate,
    OccupancyEvent,
    Passage,
    Plan,
    Presence,
    Reason,
)
from doorward.gates.rules.crowd import occupancy_event
from doorward.gates.service.alarms import raise_alarm
from doorward.gates.store import whereabouts
from doorward.platform.db import Unit

ALARMS = {OccupancyEvent.REACHED: AlarmKind.ZONE_REACHED, OccupancyEvent.EXCEEDED: AlarmKind.ZONE_EXCEEDED}


def counts_people(gate: Gate) -> bool:
    """Whether passing this gate moves somebody between zones."""
    return gate.from_zone_id is not None or gate.to_zone_id is not None


def move(unit: Unit, plan: Plan, gate: Gate, passage: Passage, *, before: Presence | None) -> None:
    """Count the subject of an opened passage, and its companion, on the other side of the gate."""
    moves = counts_people(gate)
    if passage.subject_id is None or not (moves or (before is not None and before.forgiven)):
        return
    to_zone = gate.to_zone_id if moves else (before.zone_id if before else None)
    from_zone = before.zone_id if before else None
    counts = _counts(unit, plan, {from_zone, to_zone})
    for subject_id in (passage.subject_id, passage.companion_id):
        if subject_id is not None:
            place = Presence(
                subject_id=subject_id, zone_id=to_zone, since=passage.seen_at, passage_id=passage.id
            )
            whereabouts.set_presence(unit.rows, unit.site_id, place)
    _tell(unit, plan, counts)


def move_back(unit: Unit, plan: Plan, passage: Passage) -> None:
    """Undo a count: the barrier never moved. Whoever went elsewhere since stays where they are."""
    for subject_id in (passage.subject_id, passage.companion_id):
        held = subject_id and whereabouts.find_presence(unit.rows, unit.site_id, subject_id)
        if not held or held.passage_id != passage.id:
            continue
        counts = _counts(unit, plan, {passage.zone_before, passage.zone_after})
        back = Presence(
            subject_id=held.subject_id,
            zone_id=passage.zone_before,
            since=passage.seen_at,
            passage_id=passage.id,
        )
        whereabouts.set_presence(unit.rows, unit.site_id, back)
        _tell(unit, plan, counts)


def find_present(unit: Unit, zone_id: str | None = None) -> list[Presence]:
    """Everybody counted inside a zone, or inside any; the look is recorded."""
    record(unit, "presence.viewed", zone=zone_id)
    return whereabouts.list_present(unit.rows, unit.site_id, zone_id)


def forgive(unit: Unit, subject_id: str | None, *, reason: Reason) -> int:
    """Let the next passage of one, or of everybody (None), stand outside anti-passback; how many."""
    if subject_id is None:
        count = whereabouts.forgive_everybody(unit.rows, unit.site_id)
    else:
        held = whereabouts.find_presence(unit.rows, unit.site_id, subject_id)
        pardon = Presence(
            subject_id=subject_id,
            zone_id=held.zone_id if held else None,
            since=held.since if held else unit.now,
            passage_id=held.passage_id if held else "",
            forgiven=True,
        )
        whereabouts.set_presence(unit.rows, unit.site_id, pardon)
        count = 1
    record(unit, "passback.forgiven", subject_id=subject_id, count=count, reason=reason.value)
    return count


def place_by_hand(unit: Unit, plan: Plan, subject_id: str, zone_id: str | None, *, reason: Reason) -> None:
    """Correct the count: somebody is in a zone, or in none."""
    if zone_id is not None and zone_id not in plan.zones:
        raise Invalid("There is no such zone at this site.")
    held = whereabouts.find_presence(unit.rows, unit.site_id, subject_id)
    counts = _counts(unit, plan, {zone_id, held.zone_id if held else None})
    place = Presence(subject_id=subject_id, zone_id=zone_id, since=unit.now, passage_id="")
    whereabouts.set_presence(unit.rows, unit.site_id, place)
    record(unit, "presence.corrected", subject_id=subject_id, zone=zone_id, reason=reason.value)
    _tell(unit, plan, counts)


def _counts(unit: Unit, plan: Plan, zone_ids: set[str | None]) -> dict[str, int]:
    limited = sorted(z.id for z in plan.zones.values() if z.id in zone_ids and z.capacity is not None)
    return {zone_id: whereabouts.count_inside(unit.rows, unit.site_id, zone_id) for zone_id in limited}


def _tell(unit: Unit, plan: Plan, counts: dict[str, int]) -> None:
    for zone_id, before in counts.items():
        after = whereabouts.count_inside(unit.rows, unit.site_id, zone_id)
        event = occupancy_event(before, after, plan.zones[zone_id].capacity)
        if event is None:
            continue
        record(unit, f"zone.{event.value}", zone=zone_id, inside=after)
        if event in ALARMS:
            raise_alarm(unit, ALARMS[event], zone_id, detail=f"{after} inside")
