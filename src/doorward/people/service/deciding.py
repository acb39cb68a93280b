"""Keeps a decider elsewhere and these records in step: neither is part of the other's transactions."""

from collections.abc import Sequence
from datetime import timedelta

from doorward.audit.service import record
from doorward.core.errors import Unavailable
from doorward.people.ports import Decider
from doorward.people.service.recogniser import Recogniser
from doorward.people.service.templates import templates_of
from doorward.people.store import faces
from doorward.platform.db import Unit
from doorward.platform.jobs import enqueue

FORGET_THERE = "people.forget_at_decider"  # a job
TRIED_AGAIN = timedelta(seconds=30)
HANDED_OVER_AT_ONCE = 256


def tell_forgotten(unit: Unit, decider: Decider, subject_ids: Sequence[str]) -> None:
    """Have it forget these, but for those who were enrolled again since this was promised."""
    gone = sorted(set(subject_ids) - set(faces.list_which(unit.rows, unit.site_id, subject_ids)))
    if not gone:
        return
    try:
        decider.forget_there(unit, gone)
    except Unavailable:  # for however long: such a promise is never given up
        enqueue(unit, FORGET_THERE, delay=TRIED_AGAIN, subject_ids=gone)
        return
    record(unit, "decider.told-to-forget", subjects=gone)


def reconcile(unit: Unit, decider: Decider) -> int:
    """Have it forget whom nobody here knows: a unit that was rolled back, or a crash, left them; how many.

    Those that it knows for less than ten minutes may belong to a unit that is not done yet.
    """
    strangers: list[str] = []
    after, more = None, True
    while more:
        known, more = decider.list_there(unit, after=after)
        after = known[-1] if known else None
        strangers += sorted(set(known) - set(faces.list_which(unit.rows, unit.site_id, known)))
        more = more and after is not None
    if strangers:
        decider.forget_there(unit, strangers)
        record(unit, "decider.reconciled", subjects=strangers)
    return len(strangers)


def hand_over(unit: Unit, recogniser: Recogniser, *, after: str) -> tuple[Sequence[str], Sequence[str]]:
    """Enrol the next whose templates are still here at the decider, and keep none of them here.

    Whose turn it was, and who of them stays as they are since their templates do not open.
    """
    some = faces.list_with_template(unit.rows, unit.site_id, after=after, most=HANDED_OVER_AT_ONCE)
    found = templates_of(recogniser.vault, unit, some)
    if found:
        recogniser.matcher.enrol(unit, found)
        faces.empty_templates(unit.rows, list(found))
        record(unit, "decider.faces-handed-over", faces=len(found))
    return some, [person_id for person_id in some if person_id not in found]
