"""What the gates forget: all about a subject that was erased, and what is older than a site keeps."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from doorward.audit.service import record
from doorward.gates.service.post import Post
from doorward.gates.store import attention, guesses, passages, places, rollcalls, whereabouts
from doorward.platform.db import Unit

MOST_AT_ONCE = 5000  # a bite that holds the writer's place briefly; a wrong clock costs no more than these


def forget_subject(unit: Unit, facts: Mapping[str, Any]) -> None:
    """Forget where an erased person or vehicle is, what was granted to them, and their place on any list.

    Passages and alarms keep the id, which names nobody any more, until they are old enough.
    """
    subject_id = str(facts["subject_id"])
    whereabouts.forget_presence(unit.rows, subject_id)
    rollcalls.forget_expected(unit.rows, subject_id)
    guesses.forget_guesses(unit.rows, subject_id)
    grants = places.forget_grants_of(unit.rows, subject_id)
    for site_id in places.list_site_ids(unit.rows) if grants else ():
        places.mark_changed(unit.rows, site_id)
    record(unit, "subject.forgotten-at-gates", subject_id=subject_id, grants=grants)


def forget_old(unit: Unit, post: Post) -> int:
    """Erase passages, roll-calls, seen alarms and times of leaving older than the site keeps; how many."""
    days = post.plans.plan_of(unit).rules.keep_passages_days
    before = unit.now - timedelta(days=days)
    count = passages.forget_passages(unit.rows, unit.site_id, before, most=MOST_AT_ONCE)
    count += rollcalls.forget_rollcalls(unit.rows, unit.site_id, before)
    count += attention.forget_alarms(unit.rows, unit.site_id, before)
    count += whereabouts.forget_leavers(unit.rows, unit.site_id, before)
    guesses.forget_old_guesses(unit.rows, unit.site_id, before)
    if count:
        record(unit, "passages.forgotten", count=count, keep_days=days)
    return count
