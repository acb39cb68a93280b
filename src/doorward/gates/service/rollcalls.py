"""Roll-calls: who was inside, who has been seen safe, who is missing."""

import html
import json
from collections.abc import Mapping
from dataclasses import dataclass

from doorward.audit.service import record
from doorward.core.errors import Conflict, Invalid, NotFound
from doorward.core.ids import new_id
from doorward.gates.model import Expected, RollCall
from doorward.gates.rules.rollcall import expected_from, missing
from doorward.gates.service.moving import require_known
from doorward.gates.service.post import Post
from doorward.gates.store import rollcalls, whereabouts
from doorward.platform.db import Unit


@dataclass(frozen=True, slots=True)
class Muster:
    """A roll-call and everybody it looks for."""

    call: RollCall
    people: tuple[Expected, ...]

    @property
    def missing(self) -> tuple[Expected, ...]:
        """Those nobody has marked safe."""
        return missing(self.people)


def start_rollcall(unit: Unit, *, drill: bool, zone_ids: tuple[str, ...] = ()) -> Muster:
    """Begin looking for everybody counted inside now; a drill changes nothing but its own list."""
    call = RollCall(
        id=new_id("rollcall"),
        drill=drill,
        started_at=unit.now,
        started_by=unit.actor.id,
        zone_ids=zone_ids,
    )
    people = expected_from(call, whereabouts.list_present(unit.rows, unit.site_id))
    rollcalls.add_rollcall(unit.rows, unit.site_id, call, people)
    record(unit, "rollcall.started", rollcall=call.id, drill=drill, expected=len(people))
    return Muster(call, people)


def mark_safe(unit: Unit, post: Post, rollcall_id: str, subject_id: str, *, muster_point: str) -> Muster:
    """Somebody stands at a muster point; one who is known and was not counted inside is added to the list."""
    call = _running(unit, rollcall_id)
    if not muster_point or len(muster_point) > 64:
        raise Invalid("A muster point is named with 1 to 64 characters.")
    safe = Expected(
        subject_id=subject_id,
        zone_id=None,
        since=unit.now,
        safe_at=unit.now,
        safe_by=unit.actor.id,
        muster_point=muster_point,
    )
    if not rollcalls.mark_safe(unit.rows, rollcall_id, safe):
        require_known(unit, post, subject_id)
        rollcalls.add_expected(unit.rows, rollcall_id, safe)
    record(unit, "rollcall.marked-safe", subject_id=subject_id, rollcall=rollcall_id)
    return Muster(call, rollcalls.list_expected(unit.rows, rollcall_id))


def get_rollcall(unit: Unit, rollcall_id: str) -> Muster:
    """A roll-call as it stands; the look is recorded."""
    call = _get(unit, rollcall_id)
    record(unit, "rollcall.viewed", rollcall=rollcall_id)
    return Muster(call, rollcalls.list_expected(unit.rows, rollcall_id))


def end_rollcall(unit: Unit, rollcall_id: str) -> Muster:
    """End a roll-call; its list stays."""
    call = _running(unit, rollcall_id)
    rollcalls.end_rollcall(unit.rows, rollcall_id, unit.now)
    people = rollcalls.list_expected(unit.rows, rollcall_id)
    record(unit, "rollcall.ended", rollcall=rollcall_id, missing=len(missing(people)))
    return Muster(_get(unit, call.id), people)


def list_rollcalls(unit: Unit) -> list[RollCall]:
    """The latest hundred roll-calls."""
    return rollcalls.list_rollcalls(unit.rows, unit.site_id, limit=100)


def as_json(muster: Muster) -> str:
    """The list for another system: ids only."""
    return json.dumps(
        {
            "rollcall": muster.call.id,
            "drill": muster.call.drill,
            "started_at": muster.call.started_at.isoformat(),
            "expected": len(muster.people),
            "missing": [one.subject_id for one in muster.missing],
            "safe": [
                {"subject": one.subject_id, "at": one.safe_at.isoformat(), "muster_point": one.muster_point}
                for one in muster.people
                if one.safe_at is not None
            ],
        },
        indent=1,
    )


def as_page(muster: Muster, names: Mapping[str, str], *, zones: Mapping[str, str]) -> str:
    """A page to print: needs no network, no script and no style. Who prints it holds personal data."""
    kind = "Drill" if muster.call.drill else "Roll-call"
    rows = "".join(
        _line(one, names, zones) for one in sorted(muster.people, key=lambda p: p.safe_at is not None)
    )
    title = f"{kind} {muster.call.started_at:%Y-%m-%d %H:%M} UTC: {len(muster.missing)} missing"
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{html.escape(title)}</title>'
        f"<h1>{html.escape(title)}</h1><table border=1><tr><th>Who<th>Last zone<th>Since<th>Safe at</tr>"
        f"{rows}</table></html>"
    )


def _line(one: Expected, names: Mapping[str, str], zones: Mapping[str, str]) -> str:
    cells = (
        names.get(one.subject_id, one.subject_id),
        zones.get(one.zone_id or "", one.zone_id or "not counted inside"),
        f"{one.since:%H:%M}",
        f"{one.safe_at:%H:%M}, {one.muster_point}" if one.safe_at else "MISSING",
    )
    return "<tr>" + "".join(f"<td>{html.escape(cell)}" for cell in cells) + "</tr>"


def _running(unit: Unit, rollcall_id: str) -> RollCall:
    call = _get(unit, rollcall_id)
    if call.ended_at is not None:
        raise Conflict("This roll-call has ended: start another.")
    return call


def _get(unit: Unit, rollcall_id: str) -> RollCall:
    call = rollcalls.find_rollcall(unit.rows, unit.site_id, rollcall_id)
    if call is None:
        raise NotFound("There is no such roll-call at this site.")
    return call
