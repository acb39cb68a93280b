"""What holds of every decision, whatever was seen and however things stand."""

from dataclasses import replace
from datetime import timedelta

from hypothesis import given

from doorward.gates.model import (
    Direction,
    DoorStatus,
    Effect,
    Finding,
    Open,
    Refusal,
    Seen,
    Shut,
    Situation,
    Strictness,
    Verb,
)
from doorward.gates.rules.alarms import alarms_for
from doorward.gates.rules.decide import RULES, decide
from tests.gates.worlds import (
    NOON,
    sightings,
    situations,
)

FORCING = {Verb.FIRE, Verb.EVACUATION, Verb.UNLOCK}


@given(sightings, situations(Direction.IN))
def test_an_opened_entry_broke_no_hard_rule(sight: Seen, at: Situation) -> None:
    verdict = decide(sight, at)
    if isinstance(verdict, Shut) or FORCING & at.orders:
        return
    assert sight.subjects
    assert not at.orders & {Verb.LOCK, Verb.LOCKDOWN}
    assert at.gate.enabled
    assert abs(sight.received_at - sight.seen_at) <= at.clock_tolerance
    assert sight.is_whole
    assert any(sight.proven.issuperset(part) for part in at.gate.factors)
    for subject in sight.subjects:
        assert not subject.suspended
        assert subject.valid_until is None or subject.valid_until > NOON
        assert subject.valid_from is None or subject.valid_from <= NOON
        assert any(g.effect is Effect.ALLOW and g.schedule_id is None for g in at.grants)
    assert all(peer.status is DoorStatus.CLOSED and peer.is_known for peer in at.peers)


@given(sightings, situations(Direction.IN))
def test_a_full_zone_or_a_hard_passback_never_opens(sight: Seen, at: Situation) -> None:
    if not isinstance(decide(sight, at), Open) or FORCING & at.orders:
        return
    zone, where, leading = at.to_zone, at.whereabouts, sight.leading
    assert leading is not None
    if zone is not None and zone.capacity is not None and zone.capacity_rule is Strictness.HARD:
        assert at.inside < zone.capacity
    if zone is None or where is None or where.forgiven or leading.passback_exempt:
        return
    if zone.area_passback is Strictness.HARD and zone.presence_timeout_seconds is None:
        assert where.zone_id is None


@given(sightings, situations())
def test_lockdown_keeps_every_entry_shut_and_no_exit(sight: Seen, at: Situation) -> None:
    at = replace(at, orders=frozenset({Verb.LOCKDOWN, Verb.UNLOCK, Verb.EVACUATION}))
    assert isinstance(decide(sight, at), Open) == (at.gate.direction is Direction.OUT)


@given(sightings, situations())
def test_fire_opens_everything_and_evacuation_every_exit(sight: Seen, at: Situation) -> None:
    assert isinstance(decide(sight, replace(at, orders=at.orders | {Verb.FIRE})), Open)
    leaving = replace(at.gate, direction=Direction.OUT)
    assert isinstance(decide(sight, replace(at, gate=leaving, orders=at.orders | {Verb.EVACUATION})), Open)


@given(sightings, situations(Direction.OUT))
def test_nobody_is_locked_in(sight: Seen, at: Situation) -> None:
    verdict = decide(sight, at)
    if isinstance(verdict, Open):
        return
    assert verdict.because is Refusal.INTERLOCKED
    half_a_minute = timedelta(seconds=30)
    waited = [peer for peer in at.peers if peer.status is DoorStatus.OPEN and peer.since is not None]
    assert any(timedelta(0) <= NOON - peer.since < half_a_minute for peer in waited if peer.since)
    assert at.waits_since is None or timedelta(0) <= NOON - at.waits_since < half_a_minute


@given(sightings, situations(Direction.IN))
def test_two_who_open_together_are_two_people_who_may_both_pass(sight: Seen, at: Situation) -> None:
    verdict = decide(sight, at)
    if not isinstance(verdict, Open) or verdict.companion_id is None:
        return
    other = next(one.subject for one in at.waiting if one.subject.id == verdict.companion_id)
    assert sight.leading is not None
    assert (sight.leading.kind, other.kind) == ("person", "person")
    assert other.id not in {one.id for one in sight.subjects}
    assert not other.suspended
    zone = at.to_zone
    if zone is not None and zone.capacity is not None and zone.capacity_rule is Strictness.HARD:
        assert at.inside + 2 <= zone.capacity


@given(sightings, situations())
def test_the_same_question_gets_the_same_answer_with_every_rule_on_the_way(
    sight: Seen, at: Situation
) -> None:
    verdict = decide(sight, at)
    assert verdict == decide(sight, at)
    assert len({finding.rule for finding in verdict.trace}) == len(verdict.trace) <= len(RULES)
    if isinstance(verdict, Shut):
        last: Finding = verdict.trace[-1]
        assert last.refusal is verdict.because
        assert not last.passed


@given(sightings, situations())
def test_duress_looks_the_same_at_the_gate_and_always_alarms(sight: Seen, at: Situation) -> None:
    calm, pressed = replace(sight, duress=False), replace(sight, duress=True)
    assert decide(calm, at) == decide(pressed, at)
    extra = set(alarms_for(pressed, at, decide(pressed, at))) - set(alarms_for(calm, at, decide(calm, at)))
    assert {str(kind) for kind in extra} == {"duress"}
