"""When each subject may pass one gate, told ahead as stretches of time."""

from collections.abc import Iterable
from datetime import UTC, datetime

from doorward.core import wire
from doorward.gates.model import Direction, Effect, Gate, Grant, Hours, Plan, Subject, Window
from doorward.gates.rules.schedules import merged, windows
from doorward.gates.store import places
from doorward.platform.db import Unit


class HoursAt:
    """When each subject may pass one gate between now and the policy's end."""

    def __init__(self, unit: Unit, plan: Plan, gate: Gate, until: datetime) -> None:
        self._plan, self._start, self._end = plan, unit.now, until
        self._leads_out = gate.direction is Direction.OUT
        self._grants: dict[str, list[Grant]] = {}
        for grant in places.grants_for(unit.rows, unit.site_id, plan.targets[gate.id]):
            self._grants.setdefault(grant.holder_id, []).append(grant)

    def of(self, subject: Subject | None) -> tuple[wire.Window, ...]:
        """The stretches in which a subject may pass; at a way out always, to know who left."""
        if subject is None:
            return ()
        if self._leads_out:
            return (wire.Window(opens=self._start, closes=self._end),)
        if subject.suspended:
            return ()
        held = [g for holder in (subject.id, *subject.group_ids) for g in self._grants.get(holder, ())]
        allowed = self._open(g for g in held if g.effect is Effect.ALLOW)
        denied = self._open(g for g in held if g.effect is Effect.DENY)
        limits = _between(subject.valid_from, subject.valid_until, self._start, self._end)
        left = without([w for one in allowed for w in _cut(one, limits)], denied)
        return tuple(wire.Window(opens=_instant(w.start), closes=_instant(w.end)) for w in left[:1000])

    def _open(self, grants: Iterable[Grant]) -> list[Window]:
        found: list[Window] = []
        for grant in grants:
            limits = _between(grant.valid_from, grant.valid_until, self._start, self._end)
            found += [w for one in self._scheduled(grant) for w in _cut(one, limits)]
        return list(merged(found))

    def _scheduled(self, grant: Grant) -> tuple[Window, ...]:
        always = (Window(int(self._start.timestamp()), int(self._end.timestamp())),)
        if grant.schedule_id is None:
            return always
        hours: Hours = self._plan.hours
        schedule = hours.schedules.get(grant.schedule_id)
        if schedule is None:
            return always if grant.effect is Effect.DENY else ()
        return windows(schedule, hours, self._start, self._end)


def without(allowed: list[Window], denied: list[Window]) -> list[Window]:
    """The allowed time that no denied window covers."""
    left = list(merged(allowed))
    for gap in denied:
        left = [piece for window in left for piece in _minus(window, gap)]
    return left


def _minus(window: Window, gap: Window) -> list[Window]:
    before = Window(window.start, min(window.end, gap.start))
    after = Window(max(window.start, gap.end), window.end)
    if gap.end <= window.start or gap.start >= window.end:
        return [window]
    return [piece for piece in (before, after) if piece.start < piece.end]


def _cut(window: Window, limits: Window) -> list[Window]:
    start, end = max(window.start, limits.start), min(window.end, limits.end)
    return [Window(start, end)] if start < end else []


def _between(since: datetime | None, until: datetime | None, start: datetime, end: datetime) -> Window:
    first = max(since, start) if since else start
    last = min(until, end) if until else end
    return Window(int(first.timestamp()), int(last.timestamp()))


def _instant(second: int) -> datetime:
    return datetime.fromtimestamp(second, UTC)
