"""Which openings of a door somebody has to look at, and when."""

from doorward.core.wire import Door, OfflineDoor
from doorward.gates import service
from doorward.gates.model import Reason, Verb
from doorward.gates.service import Cause
from tests.conftest import SteppingClock
from tests.gates.journals import Journal
from tests.gates.scene import Scene


def test_one_permit_explains_one_opening(scene: Scene, clock: SteppingClock) -> None:
    scene.report(scene.card())
    clock.advance(seconds=1)
    assert scene.tell(Door.OPENED) == "open"
    clock.advance(seconds=2)
    scene.tell(Door.CLOSED)
    clock.advance(seconds=2)
    assert scene.tell(Door.OPENED) == "forced"
    assert scene.alarms() == ["door-forced"]


def test_two_permits_explain_two_openings(scene: Scene, clock: SteppingClock) -> None:
    for name in ("ada", "bob"):
        scene.report(scene.card(name))
        clock.advance(seconds=1)
    for _ in range(2):
        assert scene.tell(Door.OPENED) == "open"
        clock.advance(seconds=1)
        scene.tell(Door.CLOSED)
    assert scene.tell(Door.OPENED) == "forced"


def test_many_who_are_refused_do_not_make_a_permitted_opening_forced(scene: Scene) -> None:
    scene.report(scene.card())
    for _ in range(30):
        scene.card("nobody")
    assert scene.tell(Door.OPENED) == "open"


def test_a_door_forced_without_the_server_is_not_excused_by_a_later_permit(
    scene: Scene, clock: SteppingClock
) -> None:
    scene.tell(Door.CLOSED)
    journal = Journal(scene)
    clock.advance(minutes=10)
    journal.add(OfflineDoor(state=Door.OPENED))
    clock.advance(minutes=1)
    journal.add(OfflineDoor(state=Door.CLOSED))
    clock.advance(minutes=30)
    scene.card()
    journal.replay()
    assert scene.alarms() == ["door-forced"]


def test_a_permitted_opening_told_late_is_no_break_in(scene: Scene, clock: SteppingClock) -> None:
    scene.report(scene.card())
    journal = Journal(scene)
    clock.advance(seconds=2)
    journal.add(OfflineDoor(state=Door.OPENED))
    clock.advance(seconds=3)
    journal.add(OfflineDoor(state=Door.CLOSED))
    clock.advance(minutes=5)
    journal.replay()
    assert scene.alarms() == []


def test_an_opening_alone_explains_its_own_door_told_late(scene: Scene, clock: SteppingClock) -> None:
    journal = Journal(scene)
    journal.opened()
    clock.advance(seconds=2)
    journal.add(OfflineDoor(state=Door.OPENED))
    clock.advance(hours=2)
    journal.replay()
    assert "door-forced" not in scene.alarms()


def test_an_opening_under_an_order_that_has_ended_since_is_explained(
    scene: Scene, clock: SteppingClock
) -> None:
    order = scene.order(Verb.UNLOCK)
    journal = Journal(scene)
    clock.advance(minutes=1)
    journal.add(OfflineDoor(state=Door.OPENED))
    clock.advance(seconds=5)
    journal.add(OfflineDoor(state=Door.CLOSED))
    clock.advance(minutes=1)
    with scene.unit() as unit:
        service.release(unit, scene.post, order.id, Cause(reason=Reason.DRILL))
    journal.replay()
    assert scene.alarms() == []
    assert scene.tell(Door.OPENED) == "forced"


def test_a_door_held_open_without_the_server_alarms_when_it_is_told(
    scene: Scene, clock: SteppingClock
) -> None:
    journal = Journal(scene)
    journal.opened()
    clock.advance(seconds=2)
    journal.add(OfflineDoor(state=Door.OPENED))
    clock.advance(minutes=40)
    journal.add(OfflineDoor(state=Door.CLOSED))
    clock.advance(minutes=5)
    journal.replay()
    assert scene.alarms() == ["door-held"]


def test_a_door_left_open_is_held_even_if_its_agent_falls_silent(scene: Scene, clock: SteppingClock) -> None:
    scene.report(scene.card())
    scene.tell(Door.OPENED)
    clock.advance(minutes=15)
    scene.sweep()
    assert scene.alarms() == ["door-held", "door-offline"]


def test_a_server_clock_set_back_delays_no_alarm_for_long(scene: Scene, clock: SteppingClock) -> None:
    scene.report(scene.card())
    scene.tell(Door.OPENED)
    clock.advance(hours=-1)
    scene.sweep()
    assert scene.alarms() == []
    clock.advance(seconds=20)
    scene.sweep()
    assert scene.alarms() == ["door-held"]
    clock.advance(seconds=601)
    scene.sweep()
    assert scene.alarms() == ["door-held", "door-offline"]
