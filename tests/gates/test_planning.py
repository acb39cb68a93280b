"""What the plan of a site refuses, and orders that end by themselves."""

from dataclasses import replace
from datetime import timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from doorward.core import wire
from doorward.core.encoding import to_text
from doorward.core.errors import Conflict, Denied, Invalid, NotFound
from doorward.core.permissions import Actor, Permission
from doorward.gates import service
from doorward.gates.model import Agent, Gate, Level, Reason, SiteRules, Verb
from doorward.gates.service import Cause
from doorward.platform.db import Database
from tests.conftest import SITE, SteppingClock
from tests.gates.scene import CARD_GATE, HALL, SERVER_KEYS, Scene

WHY = Cause(reason=Reason.DRILL)


@pytest.mark.parametrize(
    "piece",
    [
        replace(CARD_GATE, to_zone_id=CARD_GATE.id),
        replace(CARD_GATE, from_zone_id="level_all"),
        Level(id="level_more", name="More", gate_ids=(HALL.id,)),
        Level(id="level_more", name="More", gate_ids=("level_all",)),
    ],
)
def test_a_piece_names_others_of_the_right_kind(scene: Scene, piece: Gate | Level) -> None:
    scene.set(Level(id="level_all", name="All", gate_ids=(CARD_GATE.id,)))
    with pytest.raises(NotFound):
        scene.set(piece)


@pytest.mark.parametrize("seconds", [-1, 367 * 86_400, 10**15])
def test_no_time_of_a_rule_is_too_long_to_be_counted(scene: Scene, seconds: int) -> None:
    for piece in (
        replace(CARD_GATE, door_passback_seconds=seconds),
        replace(HALL, timed_passback_seconds=seconds),
        replace(HALL, presence_timeout_seconds=seconds),
    ):
        with pytest.raises(Invalid):
            scene.set(piece)
    assert scene.card().opens


def test_an_outcome_is_taken_from_an_agent_that_has_moved_to_another_gate(scene: Scene) -> None:
    permit = scene.card()
    scene.register("gate_out")
    scene.report(permit)
    assert scene.states() == [("opened", "granted")]


def revoked(scene: Scene) -> Agent:
    with scene.unit() as unit:
        return service.revoke_agent(unit, scene.post, "agent_1")


def test_revoking_an_agent_is_for_good(scene: Scene) -> None:
    gone = revoked(scene)
    assert revoked(scene) == gone
    with pytest.raises(Conflict):
        scene.set(replace(gone, revoked=False))
    with pytest.raises(Conflict):
        scene.set(replace(gone, id="agent_2", revoked=False))
    with pytest.raises(Conflict), scene.unit() as unit:
        service.forget_piece(unit, scene.post, gone.id)
    with pytest.raises(Denied):
        scene.card()
    other = to_text(Ed25519PrivateKey.generate().public_key().public_bytes_raw())
    scene.set(replace(gone, id="agent_2", public_key=other, revoked=False))


def test_in_a_lockdown_only_whoever_may_end_it_opens_a_way_in(scene: Scene, database: Database) -> None:
    scene.order(Verb.LOCKDOWN)
    with scene.unit() as unit:
        assert service.open_now(unit, scene.post, CARD_GATE.id, WHY).open_seconds == 5
    desk = Actor("staff_desk", {SITE: frozenset({Permission.GATES_COMMAND})})
    with database.unit(desk, SITE) as unit:
        with pytest.raises(Denied):
            service.open_now(unit, scene.post, CARD_GATE.id, WHY)
        assert service.open_now(unit, scene.post, "gate_out", WHY).open_seconds == 5


def given_by_hand(scene: Scene) -> int:
    with scene.unit() as unit:
        answer = service.standing_at(unit, scene.post, scene.request(wire.Wants.COMMANDS))
    standing = wire.open_message(SERVER_KEYS.signing.public_key(), wire.Standing, answer)
    return len(standing.permits)


def test_a_lockdown_ends_the_permits_given_by_hand_before_it(scene: Scene, clock: SteppingClock) -> None:
    with scene.unit() as unit:
        service.open_now(unit, scene.post, CARD_GATE.id, WHY)
    for _ in range(30):
        scene.card("nobody")
    assert given_by_hand(scene) == 1
    clock.advance(seconds=1)
    scene.order(Verb.LOCKDOWN)
    assert given_by_hand(scene) == 0


def test_permits_given_by_hand_are_numbered_upwards_whatever_the_clock_does(
    scene: Scene, clock: SteppingClock
) -> None:
    numbers = []
    for seconds in (0, 0, -120, 1):
        clock.advance(seconds=seconds)
        with scene.unit() as unit:
            numbers.append(service.open_now(unit, scene.post, CARD_GATE.id, WHY).sequence)
    assert numbers == sorted(set(numbers))


def test_an_order_ends_when_its_time_is_over(scene: Scene, clock: SteppingClock) -> None:
    scene.order(Verb.UNLOCK, gate_id=CARD_GATE.id, until=clock.now + timedelta(minutes=5))
    assert scene.card("nobody").because == "unlocked"
    clock.advance(minutes=5)
    assert scene.card("nobody").because == "unknown"
    with scene.unit() as unit:
        assert service.orders_in_force(unit, scene.post) == []
        assert service.end_lapsed_orders(unit, scene.post) == 1
        assert service.end_lapsed_orders(unit, scene.post) == 0
        assert scene.post.plans.plan_of(unit).orders == ()


def test_an_order_that_has_ended_can_be_given_again_and_not_released(
    scene: Scene, clock: SteppingClock
) -> None:
    until = clock.now + timedelta(minutes=5)
    first = scene.order(Verb.LOCK, until=until)
    assert scene.order(Verb.LOCK, until=until) == first
    clock.advance(minutes=6)
    with scene.unit() as unit, pytest.raises(NotFound):
        service.release(unit, scene.post, first.id, WHY)
    assert scene.order(Verb.LOCK).id != first.id
    assert scene.card().because == "locked"


@pytest.mark.parametrize("verb", [Verb.FIRE, Verb.EVACUATION])
def test_what_lets_people_out_does_not_end_by_itself(scene: Scene, clock: SteppingClock, verb: Verb) -> None:
    with pytest.raises(Invalid):
        scene.order(verb, until=clock.now + timedelta(minutes=5))


def test_an_order_ends_after_it_begins(scene: Scene, clock: SteppingClock) -> None:
    with pytest.raises(Invalid):
        scene.order(Verb.LOCK, until=clock.now)


@pytest.mark.parametrize("days", [0, 4000])
def test_passages_are_kept_for_some_days(scene: Scene, days: int) -> None:
    with pytest.raises(Invalid), scene.unit() as unit:
        service.set_site_rules(unit, SiteRules(keep_passages_days=days))
