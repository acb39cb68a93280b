import itertools
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from time import monotonic, sleep
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from doorward.core import wire
from doorward.core.errors import Conflict, Denied, DoorwardError, Invalid, NotFound, Unavailable
from doorward.core.wire import Door
from doorward.gates import service
from doorward.gates.model import (
    Agent,
    Calendar,
    Factor,
    Gate,
    Grant,
    Reason,
    Schedule,
    SiteRules,
    Span,
    Subject,
    Verb,
)
from doorward.gates.service import Cause, Desk
from doorward.platform.db import Database
from doorward.platform.paging import PageRequest
from tests.conftest import GUARD, SITE, SteppingClock
from tests.gates.scene import CARD_GATE, Scene

WHY = Cause(reason=Reason.DRILL)


def tell(scene: Scene, state: Door, number: int, gate_id: str = CARD_GATE.id) -> str:
    message = wire.DoorState(
        agent_id="agent_1", gate_id=gate_id, sequence=number, state=state, at=scene.clock.now
    )
    with scene.unit() as unit:
        return service.report_door(unit, scene.post, scene.sign(message)).status.value


def test_a_door_that_opens_after_a_permit_is_open_and_else_forced(scene: Scene, clock: SteppingClock) -> None:
    scene.report(scene.card())
    assert tell(scene, Door.OPENED, 100) == "open"
    assert tell(scene, Door.CLOSED, 101) == "closed"
    clock.advance(minutes=1)
    assert tell(scene, Door.OPENED, 102) == "forced"
    assert tell(scene, Door.OPENED, 102) == "forced"
    assert scene.alarms() == ["door-forced"]


def test_an_exit_request_is_no_unlock_but_explains_the_opening(scene: Scene) -> None:
    assert tell(scene, Door.EXIT_REQUESTED, 100) == "closed"
    assert tell(scene, Door.OPENED, 101) == "open"


def test_a_sweep_finds_doors_held_open_and_agents_gone_silent(scene: Scene, clock: SteppingClock) -> None:
    tell(scene, Door.EXIT_REQUESTED, 100)
    tell(scene, Door.OPENED, 101)
    clock.advance(seconds=21)
    with scene.unit() as unit:
        assert service.sweep_doors(unit, scene.post) == 1
    assert scene.alarms() == ["door-held"]
    clock.advance(minutes=11)
    with scene.unit() as unit:
        service.sweep_doors(unit, scene.post)
        assert [door.status.value for door in service.list_doors(unit)] == ["offline"]
    assert tell(scene, Door.CLOSED, 102) == "closed"


def test_an_alarm_waits_until_somebody_looked(scene: Scene) -> None:
    tell(scene, Door.TAMPERED, 100)
    with scene.unit() as unit:
        (alarm,) = service.list_alarms(unit, _page(), waiting=True)
        done = service.acknowledge_alarm(unit, alarm.id)
        assert done.acknowledged_by == GUARD.id
        assert service.list_alarms(unit, _page(), waiting=True) == []
        with pytest.raises(NotFound):
            service.acknowledge_alarm(unit, "alarm_none")


def test_a_roll_call_marks_the_safe_and_names_the_missing(scene: Scene, clock: SteppingClock) -> None:
    scene.card()
    scene.card("bob")
    scene.memory.subjects["person_guest"] = Subject(id="person_guest")
    with scene.unit() as unit:
        muster = service.start_rollcall(unit, drill=True)
        clock.advance(minutes=1)
        service.mark_safe(unit, scene.post, muster.call.id, "person_ada", muster_point="Car park")
        muster = service.mark_safe(unit, scene.post, muster.call.id, "person_guest", muster_point="Car park")
        assert [one.subject_id for one in muster.missing] == ["person_bob"]
        page = service.as_page(muster, {"person_bob": "<Bob>"}, zones={"zone_hall": "Hall"})
        assert "&lt;Bob&gt;<td>Hall" in page
        assert "http" not in page
        assert '"missing": [\n  "person_bob"\n ]' in service.as_json(muster)
        service.end_rollcall(unit, muster.call.id)
        with pytest.raises(Conflict):
            service.mark_safe(unit, scene.post, muster.call.id, "person_bob", muster_point="Car park")


@pytest.mark.parametrize(
    "piece",
    [
        Gate(id="g", name="G", factors=((Factor.PIN,),)),
        Gate(id="g", name="G", to_zone_id="zone_none"),
        Gate(id="g", name="G", open_seconds=0),
        Schedule(id="s", name="S", weekly=()),
        Schedule(id="s", name="S", weekly=((Span(1440, 10),),) * 7),
        Agent(id="a", name="A", public_key="short", gate_ids=()),
        Agent(id="a", name="A", public_key="A" * 43, gate_ids=("gate_none",)),
        Gate(id="zone_hall", name="An id that is taken"),
    ],
)
def test_a_plan_takes_no_piece_that_makes_no_sense(scene: Scene, piece: Any) -> None:
    with pytest.raises((Invalid, NotFound, Conflict)):
        scene.set(piece)


def test_a_site_knows_its_zone_and_holidays(scene: Scene) -> None:
    with scene.unit() as unit:
        service.set_site_rules(
            unit, SiteRules(time_zone="Europe/Berlin", calendar=Calendar(country="DE", subdivision="BY"))
        )
        hours = scene.post.plans.plan_of(unit).hours
        assert unit.now.date().replace(month=1, day=6) in hours.holidays
        for bad in (SiteRules(time_zone="Mars/Base"), SiteRules(calendar=Calendar(country="QQ"))):
            with pytest.raises(Invalid):
                service.set_site_rules(unit, bad)


def test_a_reference_holds_no_sentence(scene: Scene) -> None:
    with scene.unit() as unit, pytest.raises(Invalid):
        service.open_now(unit, scene.post, CARD_GATE.id, Cause(reason=Reason.OTHER, reference="let Ada in"))


def test_many_who_ask_at_once_are_each_answered_for_themselves(scene: Scene, database: Database) -> None:
    desk = Desk(database, scene.post)
    good = [scene.sighting(card="card-ada") for _ in range(20)]
    bad = scene.sighting(card="card-ada")
    forged = wire.Signed(bad.body, bad.signer_id, bytes(64))

    def ask(signed: wire.Signed) -> wire.Permit | DoorwardError:
        try:
            return wire.decode(wire.Permit, desk.admit(GUARD, SITE, signed).body)
        except DoorwardError as error:
            return error

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(ask, [*good[:10], forged, *good[10:]]))
    assert isinstance(answers[10], Denied)
    permits = [one for one in answers if isinstance(one, wire.Permit)]
    assert len({one.permit_id for one in permits if one.opens}) == 20
    assert len(scene.states()) == 20


class Stumbling(Desk):
    """A desk whose database fails whenever several are decided together."""

    def _decide(self, batch: Any) -> None:
        if len(batch) > 1:
            raise OSError("disk")
        super()._decide(batch)


def test_when_a_batch_fails_each_asks_alone(scene: Scene, database: Database) -> None:
    desk = Stumbling(database, scene.post)
    sightings = [scene.sighting(card="card-ada") for _ in range(12)]
    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(lambda one: desk.admit(GUARD, SITE, one), sightings))
    assert len({one.body for one in answers}) == 12


def test_while_the_database_is_kept_everybody_is_told_in_time_to_decide_alone(
    scene: Scene, database: Database
) -> None:
    desk = Desk(database, replace(scene.post, patience_seconds=0.4))
    sightings = [scene.sighting(card="card-ada") for _ in range(8)]

    def ask(late: int) -> float:
        sleep(late * 0.05)  # some come while the first ones wait already
        began = monotonic()
        with pytest.raises(Unavailable):
            desk.admit(GUARD, SITE, sightings[late])
        return monotonic() - began

    with database.unit(GUARD, SITE), ThreadPoolExecutor(8) as pool:
        assert max(pool.map(ask, range(8))) < 0.8
    assert scene.states() == []
    assert wire.decode(wire.Permit, desk.admit(GUARD, SITE, sightings[0]).body).opens


def test_the_body_of_a_permit_is_what_the_wire_reads(scene: Scene) -> None:
    signed = scene.sighting(card="card-ada")
    with scene.unit() as unit:
        answer = service.admit(unit, scene.post, signed)
    assert wire.encode(wire.decode(wire.Permit, answer.body)) == answer.body


deeds = st.lists(
    st.sampled_from(["in ada", "in bob", "out ada", "out bob", "fail", "forgive", "fix"]), max_size=12
)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(deeds)
def test_a_head_count_is_never_below_zero_nor_counts_anybody_twice(scene: Scene, deeds: list[str]) -> None:
    permit = None
    for deed, _ in zip(deeds, itertools.count(), strict=False):
        verb, _, who = deed.partition(" ")
        if verb in {"in", "out"}:
            permit = scene.card(who, CARD_GATE.id if verb == "in" else "gate_out")
        elif verb == "fail" and permit is not None:
            scene.report(permit, moved=False)
            permit = None
        elif verb == "forgive":
            with scene.unit() as unit:
                service.forgive(unit, scene.post, None, reason=Reason.MISREAD)
        elif verb == "fix":
            with scene.unit() as unit:
                service.place_by_hand(unit, scene.post, "person_ada", None, reason=Reason.MISREAD)
        inside = scene.inside()
        assert len(inside) == len(set(inside)) <= 2


def test_grants_name_things_of_the_site(scene: Scene) -> None:
    for bad in (
        Grant(id="", holder_id="person_ada", target_id="gate_none"),
        Grant(id="", holder_id="person_ada", schedule_id="none"),
        Grant(id="", holder_id="person_ada", valid_from=scene.clock.now, valid_until=scene.clock.now),
    ):
        with pytest.raises((Invalid, NotFound)):
            scene.grant(bad)


def test_an_order_given_twice_is_one_order(scene: Scene) -> None:
    with scene.unit() as unit:
        first = service.give_order(unit, scene.post, Verb.LOCK, WHY, zone_id="zone_hall")
    with scene.unit() as unit:
        assert service.give_order(unit, scene.post, Verb.LOCK, WHY, zone_id="zone_hall") == first
        with pytest.raises(Invalid):
            service.give_order(unit, scene.post, Verb.LOCK, WHY, zone_id="zone_hall", gate_id=CARD_GATE.id)


def _page() -> PageRequest:
    return PageRequest(None, 50)
