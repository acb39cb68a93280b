"""Alarms: raised with their cause, acknowledged by somebody."""

from doorward.audit.service import record
from doorward.core.errors import DoorwardError, NotFound
from doorward.core.ids import new_id
from doorward.gates.model import Alarm, AlarmKind
from doorward.gates.service.post import Post
from doorward.gates.store import attention
from doorward.people.service.recogniser import MOST_TOLD, Recogniser
from doorward.platform.db import Unit
from doorward.platform.paging import PageRequest

DECIDER = "decider"  # the place of alarms about it


def raise_alarm(
    unit: Unit,
    kind: AlarmKind,
    place_id: str,
    *,
    subject_id: str | None = None,
    passage_id: str | None = None,
    detail: str = "",
) -> Alarm:
    """Ask for somebody's attention, in the transaction of the cause."""
    alarm = Alarm(
        id=new_id("alarm"),
        kind=kind,
        raised_at=unit.now,
        place_id=place_id,
        subject_id=subject_id,
        passage_id=passage_id,
        detail=detail,
    )
    attention.add_alarm(unit.rows, unit.site_id, alarm)
    record(unit, "alarm.raised", subject_id=subject_id, alarm=alarm.id, kind=kind.value, place=place_id)
    return alarm


def raise_once(
    unit: Unit, kind: AlarmKind, place_id: str, *, detail: str = "", subject_id: str | None = None
) -> None:
    """Raise an alarm unless the same one still waits, so that a fault that repeats does not bury the rest."""
    if not attention.is_waiting(unit.rows, unit.site_id, kind, place_id):
        raise_alarm(unit, kind, place_id, detail=detail, subject_id=subject_id)


def tell_unreadable(unit: Unit, recogniser: Recogniser) -> int:
    """Raise an alarm for each person or vehicle left out because its record fails its proof; how many are."""
    left_out = sorted(recogniser.unreadable(unit))
    for subject_id in left_out[:MOST_TOLD]:
        if not attention.is_waiting(unit.rows, unit.site_id, AlarmKind.RECORD_UNREADABLE, subject_id):
            raise_alarm(unit, AlarmKind.RECORD_UNREADABLE, subject_id, subject_id=subject_id)
    return len(left_out)


def tell_away(unit: Unit, recogniser: Recogniser) -> bool:
    """Raise an alarm while a decider elsewhere does not answer; whether it is away."""
    try:
        recogniser.matcher.count(unit)
    except DoorwardError as error:
        code = str(error.facts.get("code", error.code))
        raise_once(unit, AlarmKind.DECIDER_AWAY, DECIDER, detail=code)
        return True
    return False


def note_refused(unit: Unit, post: Post, signer_id: str, *, code: str) -> None:
    """Keep that a message was refused; a signer nobody registered is not named."""
    known = signer_id if signer_id in post.plans.plan_of(unit).agents else "unregistered"
    record(unit, "agent.message-refused", agent=known, code=code)
    raise_once(unit, AlarmKind.MESSAGE_REFUSED, known, detail=code)


def list_alarms(unit: Unit, wanted: PageRequest, *, waiting: bool) -> list[Alarm]:
    """Alarms, latest first; one more than a page holds."""
    record(unit, "alarms.viewed", waiting=waiting)
    return attention.list_alarms(
        unit.rows, unit.site_id, after=wanted.after, limit=wanted.limit + 1, waiting=waiting
    )


def acknowledge_alarm(unit: Unit, alarm_id: str) -> Alarm:
    """Say that somebody has looked; the first one is kept."""
    alarm = attention.find_alarm(unit.rows, unit.site_id, alarm_id)
    if alarm is None:
        raise NotFound("There is no such alarm at this site.")
    if alarm.acknowledged_at is None:
        attention.acknowledge(unit.rows, alarm_id, at=unit.now, by=unit.actor.id)
        record(unit, "alarm.acknowledged", alarm=alarm_id, kind=alarm.kind.value)
    return attention.find_alarm(unit.rows, unit.site_id, alarm_id) or alarm
