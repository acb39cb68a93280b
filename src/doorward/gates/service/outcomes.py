"""What came of permits: reports by agents, and a sweep for those that never came."""

from datetime import datetime, timedelta

from doorward.audit.service import record
from doorward.core.errors import Conflict, NotFound
from doorward.core.wire import Outcome, Signed
from doorward.gates.model import AlarmKind, Passage, PassageState, Plan
from doorward.gates.service.alarms import raise_alarm
from doorward.gates.service.doorstates import hear_from
from doorward.gates.service.moving import count_late, move_back
from doorward.gates.service.post import Post, hear
from doorward.gates.store import doors, lately, passages
from doorward.platform.db import Unit

MOST_PER_SWEEP = 500
OPEN_ENDED = frozenset({PassageState.PERMITTED, PassageState.UNREPORTED})


def report(unit: Unit, post: Post, signed: Signed) -> Passage:
    """Keep what the barrier did with a permit. A report sent twice changes nothing; another one conflicts."""
    plan = post.plans.plan_of(unit)
    # The permit itself says whose it was, even if the agent has moved to another gate since.
    outcome = hear(plan, Outcome, signed, any_gate=True)
    hear_from(unit, plan, signed.signer_id)
    passage = passages.find_passage(unit.rows, unit.site_id, outcome.permit_id)
    if passage is None or passage.agent_id != signed.signer_id or passage.gate_id != outcome.gate_id:
        raise NotFound("No permit of that id was given to this agent for this gate.")
    return settle(unit, plan, passage, moved=outcome.moved, certain=outcome.certain)


def settle(unit: Unit, plan: Plan, passage: Passage, *, moved: bool, certain: bool) -> Passage:
    """Say how a permitted passage ended. An uncertain end leaves the count and asks for a look.

    One that was given up for want of an outcome, and moved after all, is counted again.
    """
    state = PassageState.OPENED if moved else PassageState.FAILED
    if passage.state is state:
        return passage
    if passage.state not in OPEN_ENDED:
        raise Conflict("This passage has ended otherwise: an outcome is reported once.")
    passages.change_state(unit.rows, passage.id, state)
    event = "gate.opened" if moved else "gate.failed"
    record(
        unit,
        event,
        subject_id=passage.subject_id,
        passage=passage.id,
        gate=passage.gate_id,
        certain=certain,
    )
    if moved and passage.state is PassageState.UNREPORTED:
        count_late(unit, plan, passage)
    if not moved and certain:
        move_back(unit, plan, passage)
    elif not certain:
        raise_alarm(unit, AlarmKind.NO_OUTCOME, passage.gate_id, passage_id=passage.id)
    return passages.find_passage(unit.rows, unit.site_id, passage.id) or passage


def sweep_permits(unit: Unit, post: Post) -> int:
    """Mark permits whose outcome never came, and raise an alarm for each; how many.

    Once the agent has been heard after a permit lapsed, and still tells no outcome, nobody passed: the count
    moves back. While it is silent its barrier may have moved, so whoever it let in counts as inside.
    """
    until = unit.now - timedelta(seconds=post.outcome_grace_seconds)
    late = passages.list_awaiting(unit.rows, unit.site_id, until, now=unit.now, most=MOST_PER_SWEEP)
    for passage in late:
        passages.change_state(unit.rows, passage.id, PassageState.UNREPORTED)
        record(
            unit,
            "gate.unreported",
            subject_id=passage.subject_id,
            passage=passage.id,
            gate=passage.gate_id,
        )
        raise_alarm(unit, AlarmKind.NO_OUTCOME, passage.gate_id, passage_id=passage.id)
    _uncount(unit, post, until)
    return len(late)


def _uncount(unit: Unit, post: Post, until: datetime) -> None:
    heard = {one.agent_id: one.heard_at for one in doors.list_agent_states(unit.rows, unit.site_id)}
    for passage in lately.list_unsure(unit.rows, unit.site_id, until):
        if passage.agent_id in heard and heard[passage.agent_id] > passage.expires_at:
            move_back(unit, post.plans.plan_of(unit), passage)
            record(unit, "gate.uncounted", subject_id=passage.subject_id, passage=passage.id)
