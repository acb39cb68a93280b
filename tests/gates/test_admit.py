from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from doorward.core import wire
from doorward.core.errors import Conflict, Denied, NotFound
from doorward.core.wire import Sighting
from doorward.gates import service
from doorward.gates.model import Factor, Gate, Grant, Identification, Reason, Strictness, Subject, Verb, Zone
from doorward.gates.service import Cause
from tests.conftest import SteppingClock
from tests.gates.scene import CARD_GATE, HALL, Scene, face, plate

WHY = Cause(reason=Reason.DRILL)
FACE_GATE = Gate(id="gate_face", name="Face")
LANE = Gate(id="gate_lane", name="Lane", factors=((Factor.PLATE,),))
MANY = Gate(
    id="gate_many",
    name="Many",
    factors=((Factor.FACE,),),
    identification=Identification.ONE_TO_MANY,
)


def test_a_known_card_opens_once_and_the_outcome_is_kept(scene: Scene) -> None:
    permit = scene.card()
    assert permit.opens
    assert permit.because == "granted"
    scene.report(permit)
    scene.report(permit)
    assert scene.states() == [("opened", "granted")]
    with pytest.raises(Conflict):
        scene.report(permit, moved=False)


@pytest.mark.parametrize(
    ("gate", "facts", "because"),
    [
        (FACE_GATE, {"card": "card-ada", "face": face()}, "granted"),
        (FACE_GATE, {"qr": "qr-ada", "pin": "1111"}, "granted"),
        (FACE_GATE, {"card": "card-ada", "pin": "9999"}, "granted"),
        (FACE_GATE, {"card": "card-ada", "pin": "1234"}, "pin-wrong"),
        (FACE_GATE, {"card": "card-ada", "pin": "0000"}, "pin-locked"),
        (FACE_GATE, {"card": "card-bob", "face": face()}, "face-mismatch"),
        (FACE_GATE, {"card": "card-ada", "face": face(2)}, "too-few-frames"),
        (FACE_GATE, {"card": "card-ada", "face": face(live=False)}, "liveness-failed"),
        (FACE_GATE, {"card": "card-ada"}, "factors-missing"),
        (FACE_GATE, {"card": "card-ada", "qr": "qr-bob", "face": face()}, "identities-differ"),
        (FACE_GATE, {"card": "card-ada", "qr": "qr-nobody", "face": face()}, "identities-differ"),
        (FACE_GATE, {"face": face()}, "unknown"),
        (MANY, {"face": face()}, "granted"),
        (MANY, {"face": face(live=None)}, "liveness-needed"),
        (LANE, {"plate": plate()}, "granted"),
        (LANE, {"plate": plate("XYZ999")}, "unknown"),
        (LANE, {"plate": plate(sure=0.4)}, "unclear-plate"),
        (CARD_GATE, {"card": "card-nobody"}, "unknown"),
        (CARD_GATE, {}, "unknown"),
    ],
)
def test_what_proves_an_identity_depends_on_the_gate(
    scene: Scene, gate: Gate, facts: dict[str, Any], because: str
) -> None:
    scene.memory.face_of = "person_ada"
    scene.add_gate(gate)
    permit = scene.admit(scene.sighting(gate.id, **facts))
    assert (permit.because, permit.opens) == (because, because == "granted")


def test_a_duress_pin_opens_with_the_same_answer_and_alarms_in_silence(scene: Scene) -> None:
    scene.add_gate(FACE_GATE)
    calm = scene.admit(scene.sighting(FACE_GATE.id, card="card-ada", pin="1111"))
    pressed = scene.admit(scene.sighting(FACE_GATE.id, card="card-ada", pin="9999"))
    assert (calm.opens, calm.because, calm.open_seconds) == (
        pressed.opens,
        pressed.because,
        pressed.open_seconds,
    )
    assert scene.alarms() == ["duress"]


def test_a_repeat_gets_the_same_answer_while_it_lasts_and_a_refusal_afterwards(
    scene: Scene, clock: SteppingClock
) -> None:
    signed = scene.sighting(card="card-ada")
    first = scene.admit(signed)
    clock.advance(seconds=4)
    assert scene.admit(signed) == first
    clock.advance(seconds=1)
    late = scene.admit(signed)
    assert not late.opens
    assert late.because == "repeated"
    assert late.permit_id != first.permit_id
    assert len(scene.states()) == 1


@pytest.mark.parametrize("seconds", [-31, 31])
def test_an_old_or_future_sighting_is_refused_and_kept(scene: Scene, seconds: int) -> None:
    permit = scene.card(seen_at=scene.clock.now + timedelta(seconds=seconds))
    assert not permit.opens
    assert scene.states() == [("refused", "stale")]


def test_only_a_registered_agent_speaks_and_only_for_its_gates(scene: Scene) -> None:
    scene.set(replace(CARD_GATE, id="gate_other"))
    with pytest.raises(Denied):
        scene.card(gate_id="gate_other")
    message = Sighting(agent_id="agent_1", gate_id=CARD_GATE.id, sequence=99, seen_at=scene.clock.now)
    forged = wire.seal_message(Ed25519PrivateKey.generate(), "agent_1", message)
    with pytest.raises(Denied):
        scene.admit(forged)
    with pytest.raises(Denied):
        scene.admit(wire.seal_message(Ed25519PrivateKey.generate(), "agent_2", message))
    scene.register(CARD_GATE.id, revoked=True)
    with pytest.raises(Denied):
        scene.card()
    assert scene.states() == []


def test_a_change_of_plan_counts_at_the_very_next_sighting(scene: Scene) -> None:
    assert scene.card().opens
    with scene.unit() as unit:
        order = service.give_order(unit, scene.post, Verb.LOCKDOWN, WHY)
    assert scene.card().because == "lockdown"
    assert scene.card(gate_id="gate_out").opens
    with scene.unit() as unit:
        service.release(unit, scene.post, order.id, WHY)
    assert scene.card().opens


def test_a_plan_that_was_rolled_back_leaves_no_trace_in_memory(scene: Scene) -> None:
    assert scene.card().opens
    with pytest.raises(NotFound), scene.unit() as unit:
        service.give_order(unit, scene.post, Verb.LOCKDOWN, WHY)
        scene.post.plans.plan_of(unit)
        raise NotFound("changed my mind")
    assert scene.card().opens


def test_a_grant_that_was_rolled_back_opens_nothing(scene: Scene) -> None:
    with scene.unit() as unit:
        for one in service.grants_of(unit, "person_ada"):
            service.revoke_grant(unit, one.id)
    assert scene.card().because == "no-grant"
    with pytest.raises(NotFound), scene.unit() as unit:
        service.grant(unit, scene.post, Grant(id="", holder_id="person_ada"))
        assert service.admit(unit, scene.post, scene.sighting(card="card-ada"))
        raise NotFound("changed my mind")
    assert scene.card().because == "no-grant"
    scene.grant(Grant(id="", holder_id="person_ada"))
    assert scene.card().opens


def test_a_revoked_grant_and_an_expired_visitor_stay_outside(scene: Scene) -> None:
    scene.limit("person_ada", valid_until=scene.clock.now + timedelta(hours=1))
    assert scene.card().opens
    scene.clock.advance(hours=1)
    assert scene.card().because == "expired"
    with scene.unit() as unit:
        for one in service.grants_of(unit, "person_bob"):
            service.revoke_grant(unit, one.id)
    assert scene.card("bob").because == "no-grant"


def test_a_card_passed_back_is_refused_until_its_holder_left_or_was_forgiven(scene: Scene) -> None:
    scene.set(replace(HALL, area_passback=Strictness.HARD))
    assert scene.card().opens
    assert scene.inside() == ["person_ada"]
    assert scene.card().because == "passed-back"
    assert scene.card(gate_id="gate_out").opens
    assert scene.inside() == []
    assert scene.card().opens
    with scene.unit() as unit:
        service.forgive(unit, scene.post, "person_ada", reason=Reason.MISREAD)
    assert scene.card().opens
    assert scene.card().because == "passed-back"


def test_a_timed_door_counts_from_the_last_passage(scene: Scene, clock: SteppingClock) -> None:
    scene.set(replace(CARD_GATE, door_passback=Strictness.HARD, door_passback_seconds=60))
    assert scene.card().opens
    clock.advance(seconds=59)
    assert scene.card().because == "too-soon"
    clock.advance(seconds=1)
    assert scene.card().opens


def test_a_barrier_that_did_not_move_counts_nobody(scene: Scene) -> None:
    permit = scene.card()
    assert scene.inside() == ["person_ada"]
    scene.report(permit, moved=False)
    assert scene.inside() == []
    assert scene.states() == [("failed", "granted")]


def test_a_full_zone_refuses_and_says_so_once(scene: Scene) -> None:
    scene.set(replace(HALL, capacity=1))
    assert scene.card().opens
    assert scene.card("bob").because == "zone-full"
    assert scene.alarms() == ["zone-reached"]
    assert scene.card(gate_id="gate_out").opens
    assert scene.card("bob").opens


def test_two_different_people_open_together_and_are_both_counted(scene: Scene, clock: SteppingClock) -> None:
    scene.set(replace(CARD_GATE, two_person_seconds=30))
    assert scene.card().because == "second-person-needed"
    assert scene.card().because == "second-person-needed"
    assert scene.card("bob").opens
    assert scene.inside() == ["person_ada", "person_bob"]
    assert scene.card("bob").because == "second-person-needed"
    clock.advance(seconds=31)
    assert scene.card().because == "second-person-needed"


def test_a_permit_without_an_outcome_is_found_and_alarms(scene: Scene, clock: SteppingClock) -> None:
    permit = scene.card()
    clock.advance(seconds=34)
    with scene.unit() as unit:
        assert service.sweep_permits(unit, scene.post) == 0
    clock.advance(seconds=2)
    with scene.unit() as unit:
        assert service.sweep_permits(unit, scene.post) == 1
        assert service.sweep_permits(unit, scene.post) == 0
    assert scene.alarms() == ["no-outcome"]
    scene.report(permit)
    assert scene.states() == [("opened", "granted")]


def test_whoever_is_unknown_may_leave_and_somebody_hears_of_it(scene: Scene) -> None:
    assert scene.card("nobody", "gate_out").opens
    assert scene.alarms() == ["exit-unknown"]
    scene.memory.subjects["person_ada"] = Subject(id="person_ada", suspended=True)
    assert scene.card(gate_id="gate_out").opens
    assert scene.alarms() == ["exit-unknown", "rule-broken"]
    with scene.unit() as unit:
        for one in service.grants_of(unit, "person_bob"):
            service.revoke_grant(unit, one.id)
    assert scene.card("bob", "gate_out").opens
    assert len(scene.alarms()) == 2


def test_every_decision_tells_which_rule_said_what(scene: Scene) -> None:
    permit = scene.card()
    with scene.unit() as unit:
        passage = service.get_passage(unit, permit.permit_id)
    assert '["grant",true,"granted here and now",null]' in passage.trace
    assert "card-ada" not in passage.trace


def test_staff_open_a_gate_with_a_reason_and_the_agent_fetches_the_permit(
    scene: Scene, clock: SteppingClock
) -> None:
    with scene.unit() as unit:
        passage = service.open_now(unit, scene.post, CARD_GATE.id, WHY)
    request = wire.Request(
        agent_id="agent_1",
        gate_id=CARD_GATE.id,
        wants=wire.Wants.TIME,
        nonce=bytes(16),
        sent_at=clock.now,
    )
    with scene.unit() as unit:
        standing = wire.decode(wire.Standing, service.standing_at(unit, scene.post, scene.sign(request)).body)
    (permit,) = standing.permits
    assert standing.nonce == request.nonce
    assert (permit.permit_id, permit.opens) == (passage.id, True)
    scene.report(permit)
    with scene.unit() as unit:
        after = service.standing_at(unit, scene.post, scene.sign(request))
    assert wire.decode(wire.Standing, after.body).permits == ()


def test_a_zone_cannot_go_while_a_gate_leads_into_it(scene: Scene) -> None:
    with scene.unit() as unit, pytest.raises(Conflict):
        service.forget_piece(unit, scene.post, "zone_hall")
    scene.set(Zone(id="zone_empty", name="Empty"))
    with scene.unit() as unit:
        service.forget_piece(unit, scene.post, "zone_empty")
