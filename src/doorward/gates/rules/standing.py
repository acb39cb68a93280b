"""Who may pass, where and when: identity, validity, deny entries, grants and hours."""

from datetime import datetime

from doorward.gates.model import Effect, Finding, Grant, Refusal, Seen, Situation, Subject
from doorward.gates.rules.schedules import is_open


def check_identity(seen: Seen, _situation: Situation) -> Finding:
    """Fail unless somebody or something known was seen; an unclear answer is not a known one."""
    if seen.doubt is Refusal.IDENTITIES_DIFFER:
        return Finding("identity", False, "the credentials name different people", seen.doubt)
    if not seen.subjects or not seen.is_whole:
        return Finding("identity", False, "nobody known", seen.doubt or Refusal.UNKNOWN)
    return Finding("identity", True, f"known {seen.subjects[0].kind}")


def check_validity(seen: Seen, _situation: Situation) -> Finding:
    """Fail for the suspended, and outside the time a person, visitor or vehicle is registered for."""
    for subject in seen.subjects:
        refusal = _validity(subject, seen.received_at)
        if refusal is not None:
            return Finding("validity", False, f"{subject.kind} {refusal}", refusal)
    return Finding("validity", True, "registered and not suspended")


def check_deny_list(seen: Seen, situation: Situation) -> Finding:
    """Fail if an entry in force keeps a subject or its group out of this gate."""
    for subject in seen.subjects:
        if any(g.effect is Effect.DENY for g in _counting(subject, seen.received_at, situation)):
            return Finding("deny-list", False, f"{subject.kind} is on the deny list", Refusal.DENY_LISTED)
    return Finding("deny-list", True, "on no deny list")


def check_grants(seen: Seen, situation: Situation) -> Finding:
    """Fail unless each subject holds a grant for this gate whose schedule is open now."""
    for subject in seen.subjects:
        held = [g for g in _in_force(subject, seen.received_at, situation) if g.effect is Effect.ALLOW]
        if not held:
            return Finding("grant", False, f"no grant for this gate and {subject.kind}", Refusal.NO_GRANT)
        if not any(_is_open(g, seen.received_at, situation) for g in held):
            return Finding("grant", False, "granted at other hours", Refusal.OUT_OF_HOURS)
    if not seen.subjects:
        return Finding("grant", False, "nobody to hold a grant", Refusal.NO_GRANT)
    return Finding("grant", True, "granted here and now")


def may_pass(subject: Subject, at: datetime, situation: Situation) -> bool:
    """Whether somebody is registered, kept out by nobody, and granted this gate now."""
    counting = _counting(subject, at, situation)
    allowed = any(grant.effect is Effect.ALLOW for grant in counting)
    denied = any(grant.effect is Effect.DENY for grant in counting)
    return _validity(subject, at) is None and allowed and not denied


def _validity(subject: Subject, at: datetime) -> Refusal | None:
    if subject.suspended:
        return Refusal.SUSPENDED
    if subject.valid_from is not None and at < subject.valid_from:
        return Refusal.NOT_YET_VALID
    if subject.valid_until is not None and at >= subject.valid_until:
        return Refusal.EXPIRED
    return None


def _in_force(subject: Subject, at: datetime, situation: Situation) -> list[Grant]:
    return [
        grant
        for grant in situation.grants
        if (grant.holder_id == subject.id or grant.holder_id in subject.group_ids)
        and grant.target_id in situation.target_ids
        and (grant.valid_from is None or at >= grant.valid_from)
        and (grant.valid_until is None or at < grant.valid_until)
    ]


def _counting(subject: Subject, at: datetime, situation: Situation) -> list[Grant]:
    return [g for g in _in_force(subject, at, situation) if _is_open(g, at, situation)]


def _is_open(grant: Grant, at: datetime, situation: Situation) -> bool:
    if grant.schedule_id is None:
        return True
    schedule = situation.hours.schedules.get(grant.schedule_id)
    # A schedule that is gone opens nothing, but an entry that keeps somebody out keeps counting.
    if schedule is None:
        return grant.effect is Effect.DENY
    return is_open(schedule, situation.hours, at)
