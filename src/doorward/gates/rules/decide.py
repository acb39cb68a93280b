"""The decision: rules in their order, and the last line opens."""

from collections.abc import Callable

from doorward.gates.model import (
    Direction,
    Finding,
    Open,
    Opening,
    Refusal,
    Seen,
    Shut,
    Situation,
    Trace,
    Verb,
    Verdict,
)
from doorward.gates.rules.crowd import (
    check_capacity,
    check_interlock,
    check_second_person,
    companion_of,
)
from doorward.gates.rules.factors import check_factors
from doorward.gates.rules.passback import check_passback
from doorward.gates.rules.standing import (
    check_deny_list,
    check_grants,
    check_identity,
    check_validity,
)

Rule = Callable[[Seen, Situation], Finding]


def check_orders(_seen: Seen, situation: Situation) -> Finding:
    """What staff or the fire panel ordered. Fire beats lockdown, lockdown beats evacuation at entries."""
    orders, leaving = situation.orders, situation.gate.direction is Direction.OUT
    if Verb.FIRE in orders:
        return Finding("orders", True, "fire release", opens=Opening.FIRE)
    if Verb.EVACUATION in orders and (leaving or Verb.LOCKDOWN not in orders):
        return Finding("orders", True, "evacuation", opens=Opening.EVACUATION)
    if Verb.LOCKDOWN in orders:
        return Finding("orders", False, "lockdown", Refusal.LOCKDOWN)
    if Verb.LOCK in orders:
        return Finding("orders", False, "locked by staff", Refusal.LOCKED)
    if not situation.gate.enabled:
        return Finding("orders", False, "gate is switched off", Refusal.GATE_DISABLED)
    return Finding("orders", True, "unlocked by staff" if Verb.UNLOCK in orders else "no order in force")


def check_freshness(seen: Seen, situation: Situation) -> Finding:
    """Fail if the agent saw this too long ago, or says it saw it in the future.

    Where everybody may pass an old message does no harm, and a clock that was set locks nobody in.
    """
    apart = abs(seen.received_at - seen.seen_at)
    if apart > situation.clock_tolerance:
        soft = Verb.UNLOCK in situation.orders
        return Finding("freshness", False, f"{apart.total_seconds():.0f} s off", Refusal.STALE, soft=soft)
    return Finding("freshness", True, "seen just now")


def check_unlocked(_seen: Seen, situation: Situation) -> Finding:
    """Whether staff have unlocked the gate for everybody."""
    if Verb.UNLOCK in situation.orders:
        return Finding("unlocked", True, "unlocked by staff", opens=Opening.UNLOCKED)
    return Finding("unlocked", True, "not unlocked for everybody")


RULES: tuple[Rule, ...] = (
    check_orders,
    check_freshness,
    check_unlocked,
    check_identity,
    check_factors,
    check_validity,
    check_deny_list,
    check_grants,
    check_passback,
    check_capacity,
    check_interlock,
    check_second_person,
)

# A way out is refused for what a machine must not do, never for what a person is or did, nor for a clock.
REFUSES_EXITS = frozenset({Refusal.INTERLOCKED})


def decide(seen: Seen, situation: Situation) -> Verdict:
    """Shut unless every rule lets pass; each rule leaves its finding, up to the one that decided."""
    leaving = situation.gate.direction is Direction.OUT
    trace: list[Finding] = []
    for rule in RULES:
        finding = rule(seen, situation)
        trace.append(finding)
        if finding.opens is not None:
            return Open(finding.opens, tuple(trace), _noted(trace))
        if _refuses(finding, leaving=leaving):
            assert finding.refusal is not None
            return Shut(finding.refusal, tuple(trace))
    return _open(seen, situation, tuple(trace))


def _refuses(finding: Finding, *, leaving: bool) -> bool:
    if finding.passed or finding.soft:
        return False
    return not leaving or finding.refusal in REFUSES_EXITS


def _noted(trace: list[Finding] | Trace) -> tuple[Refusal, ...]:
    return tuple(f.refusal for f in trace if not f.passed and f.refusal is not None)


def _open(seen: Seen, situation: Situation, trace: Trace) -> Open:
    leaving = situation.gate.direction is Direction.OUT
    companion = companion_of(seen, situation)
    because = Opening.EXIT if leaving else Opening.GRANTED
    return Open(because, trace, _noted(trace), companion.id if companion else None)
