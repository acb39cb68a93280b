"""Keeping count of who is where."""

from collections.abc import Mapping
from dataclasses import replace

from doorward.audit.service import record
from doorward.core.errors import Invalid, NotFound
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
from doorward.gates.service.post import Post
from doorward.gates.store import whereabouts
from doorward.platform.db import Unit

ALARMS = {OccupancyEvent.REACHED: AlarmKind.ZONE_REACHED, OccupancyEvent.EXCEEDED: AlarmKind.ZONE_EXCEEDED}


def counts_people(gate: Gate) -> bool:
    """Whether passing this gate moves somebody between zones."""
    return gate.from_zone_id is not None or gate.to_zone_id is not None


def move(unit: Unit, plan: Plan, gate: Gate, passage: Passage, *, before: Presence | None) -> None:
    """Count the subject of an opened passage, and its companion, on the other side of the gate."""
    if passage.subject_id is None or not (counts_people(gate) or (before is not None and before.forgiven)):
        return
    held: dict[str, Presence | None] = {passage.subject_id: before}
    if passage.companion_id is not None:
        held[passage.companion_id] = whereabouts.find_presence(unit.rows, unit.site_id, passage.companion_id)
    _place_all(unit, plan, gate, passage, held)


def count_late(unit: Unit, plan: Plan, passage: Passage) -> None:
    """Count those of a passage that was told late who have been seen nowhere else since."""
    gate = plan.gates.get(passage.gate_id)
    if gate is None or not counts_people(gate):
        return
    held: dict[str, Presence | None] = {}
    for subject_id in _those_of(passage):
        known = whereabouts.find_presence(unit.rows, unit.site_id, subject_id)
        if known is None or (known.since <= passage.moment and known.passage_id != passage.id):
            held[subject_id] = known
    _place_all(unit, plan, gate, passage, held)


def _place_all(
    unit: Unit, plan: Plan, gate: Gate, passage: Passage, held: Mapping[str, Presence | None]
) -> None:
    moves = counts_people(gate)
    counts = _counts(unit, plan, {gate.to_zone_id, *(one.zone_id for one in held.values() if one)})
    for subject_id, one in held.items():
        place = Presence(
            subject_id=subject_id,
            zone_id=gate.to_zone_id if moves else (one.zone_id if one else None),
            since=passage.moment,
            passage_id=passage.id,
            zone_before=one.zone_id if one else None,
            since_before=one.since if one else None,
            forgiven_before=one.forgiven if one else False,
        )
        whereabouts.set_presence(unit.rows, unit.site_id, place)
    _tell(unit, plan, counts)


def move_back(unit: Unit, plan: Plan, passage: Passage) -> None:
    """Undo a count: the barrier never moved. Whoever went elsewhere since stays where they are."""
    ids = _those_of(passage)
    for held in whereabouts.list_by_passage(unit.rows, passage.id, ids) if ids else ():
        counts = _counts(unit, plan, {held.zone_id, held.zone_before})
        forgiven = held.forgiven or held.forgiven_before
        if held.since_before is None and not forgiven:
            whereabouts.forget_presence(unit.rows, held.subject_id, unit.site_id)
        else:
            back = Presence(
                subject_id=held.subject_id,
                zone_id=held.zone_before,
                since=held.since_before or held.since,
                passage_id="",
                forgiven=forgiven,
            )
            whereabouts.set_presence(unit.rows, unit.site_id, back)
        _tell(unit, plan, counts)


def _those_of(passage: Passage) -> tuple[str, ...]:
    return tuple(one for one in (passage.subject_id, passage.companion_id) if one is not None)


def find_present(unit: Unit, zone_id: str | None = None) -> list[Presence]:
    """Everybody counted inside a zone, or inside any; the look is recorded."""
    record(unit, "presence.viewed", zone=zone_id)
    return whereabouts.list_present(unit.rows, unit.site_id, zone_id)


def forgive(unit: Unit, post: Post, subject_id: str | None, *, reason: Reason) -> int:
    """Let the next passage of one, or of everybody inside (None), stand outside anti-passback; how many."""
    if subject_id is None:
        count = whereabouts.forgive_everybody(unit.rows, unit.site_id)
    else:
        require_known(unit, post, subject_id)
        held = whereabouts.find_presence(unit.rows, unit.site_id, subject_id) or Presence(
            subject_id=subject_id, zone_id=None, since=unit.now, passage_id=""
        )
        whereabouts.set_presence(unit.rows, unit.site_id, replace(held, forgiven=True))
        count = 1
    record(unit, "passback.forgiven", subject_id=subject_id, count=count, reason=reason.value)
    return count


def place_by_hand(unit: Unit, post: Post, subject_id: str, zone_id: str | None, *, reason: Reason) -> None:
    """Correct the count: somebody known is in a zone, or in none."""
    plan = post.plans.plan_of(unit)
    if zone_id is not None and zone_id not in plan.zones:
        raise Invalid("There is no such zone at this site.")
    require_known(unit, post, subject_id)
    held = whereabouts.find_presence(unit.rows, unit.site_id, subject_id)
    counts = _counts(unit, plan, {zone_id, held.zone_id if held else None})
    place = Presence(subject_id=subject_id, zone_id=zone_id, since=unit.now, passage_id="")
    whereabouts.set_presence(unit.rows, unit.site_id, place)
    record(unit, "presence.corrected", subject_id=subject_id, zone=zone_id, reason=reason.value)
    _tell(unit, plan, counts)


def require_known(unit: Unit, post: Post, subject_id: str) -> None:
    """`NotFound` unless this is the id of a person or vehicle: any other text might be a name."""
    if post.identifier.subject_of(unit, subject_id) is None:
        raise NotFound("There is no such person or vehicle at this site.")


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
