import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

from doorward.core.errors import Unavailable
from doorward.core.wire import Door, OfflineDoor
from doorward_edge.agent import Agent
from doorward_edge.clock import SystemClock
from doorward_edge.drivers.simulated import SimulatedBarrier, SimulatedInputs, SimulatedReader
from doorward_edge.passage import Decision, FaceSeen, Seen
from doorward_edge.ports import Input, InputChange, Movement, ReaderEvent, Shown, Sign
from doorward_edge.post import Post
from tests.edge.world import CARD, ORDERS, World

FACE = Seen(face=FaceSeen(template=np.zeros(128, np.float32), frames=4, quality=12.0), frames=4)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    world = World(tmp_path)
    yield world
    world.post.state.close()


def watching(*seen: Seen | None, problem: Exception | None = None) -> Callable[[], Iterator[Seen | None]]:
    def watch() -> Iterator[Seen | None]:
        yield from seen
        if problem:
            raise problem

    return watch


def test_one_person_shown_is_one_line_told(world: World) -> None:
    agent = Agent(world.post, watch=watching(None, Seen(card=CARD), None), forever=False)
    (decision,) = agent.passages()
    assert (decision.opens, decision.moved, decision.seen.kinds) == (True, True, ("card",))
    assert [o.moved for o in world.server.outcomes] == [True]


def test_a_reader_and_a_camera_make_one_passage(world: World) -> None:
    orders = replace(ORDERS, expects=(frozenset({"card", "face"}),), gather_seconds=60.0)
    reader = SimulatedReader([ReaderEvent(Shown.CARD, CARD)])
    agent = Agent(replace(world.post, orders=orders), watch=watching(FACE), readers=[reader], forever=False)
    (decision,) = agent.passages()
    assert decision.seen.kinds == ("face", "card")
    assert len(world.server.sightings) == 1
    assert reader.told[-1] is Sign.GRANTED


def test_who_cannot_be_seen_well_is_told_why_and_nothing_is_asked(world: World) -> None:
    agent = Agent(world.post, watch=watching(Seen(problem="Come nearer.")), forever=False)
    (decision,) = agent.passages()
    assert (decision.opens, decision.seen.problem) == (False, "Come nearer.")
    assert world.server.sightings == []


def test_a_video_that_breaks_off_ends_with_its_reason_after_the_last_decision(world: World) -> None:
    problem = Unavailable("The video broke off.")
    agent = Agent(world.post, watch=watching(Seen(card=CARD), problem=problem), forever=False)
    decisions = agent.passages()
    assert next(decisions).moved
    with pytest.raises(Unavailable):
        next(decisions)
    assert world.barrier.openings == [5]


def test_an_outcome_is_told_at_once_and_not_only_at_the_end(world: World) -> None:
    heard: list[int] = []

    def watch() -> Iterator[Seen | None]:
        yield Seen(card=CARD)
        deadline = SystemClock()
        until = deadline.monotonic() + 20
        while not world.server.outcomes and deadline.monotonic() < until:
            yield None
        heard.append(len(world.server.outcomes))

    assert len(list(Agent(world.post, watch=watch, forever=False).passages())) == 1
    assert heard == [1]


def test_a_server_gone_in_the_middle_loses_nothing(world: World) -> None:
    def watch() -> Iterator[Seen | None]:
        yield Seen(card=CARD)
        world.server.away = True
        yield Seen(card=CARD)

    taken: list[Decision] = []
    for decision in Agent(world.post, watch=watch, forever=False).passages():
        taken.append(decision)
    assert len(taken) == 2
    world.mend()
    known = len(world.server.outcomes) + len(world.server.journal)
    assert known >= 2
    assert world.post.state.pending_outcomes() == []
    assert world.post.state.journal_length() == 0


def test_the_doors_contacts_reach_the_server_now_or_later(world: World) -> None:
    world.upkeep.report_door(Door.OPENED)
    world.upkeep.deliver()
    assert [state.state for state in world.server.doors] == [Door.OPENED]
    world.cut()
    world.upkeep.report_door(Door.TAMPERED)
    world.mend()
    assert [fact for _, fact in world.server.journal] == [OfflineDoor(state=Door.TAMPERED)]


def test_an_unplugged_reader_does_not_stop_the_camera(world: World) -> None:
    reader = SimulatedReader()
    reader.unplugged = True
    agent = Agent(world.post, watch=watching(Seen(card=CARD)), readers=[reader], forever=False)
    assert [decision.moved for decision in agent.passages()] == [True]
    assert world.post.statistics.reader_failures > 0


class BrokenBarrier(SimulatedBarrier):
    """Fails once in a way that nobody foresaw."""

    def open(self, seconds: int) -> Movement:
        if not self.openings:
            self.openings.append(0)
            raise ZeroDivisionError
        return super().open(seconds)


def test_a_fault_of_our_own_keeps_the_gate_shut_and_work_goes_on(world: World) -> None:
    post = replace(world.post, barrier=BrokenBarrier(world.clock))
    agent = Agent(post, watch=watching(Seen(card=CARD), Seen(card=CARD)), forever=False)
    first, second = agent.passages()
    assert (first.opens, first.because) == (False, "agent-fault")
    assert second.moved
    assert post.statistics.faults == 1


def test_stopping_ends_an_agent_that_runs_for_ever(world: World) -> None:
    inputs = SimulatedInputs()
    inputs.change(InputChange(Input.DOOR, False))
    reader = SimulatedReader([ReaderEvent(Shown.CARD, CARD)])
    post: Post = replace(world.post, clock=SystemClock())
    agent = Agent(post, readers=[reader], inputs=[inputs])
    decisions = agent.passages()
    assert next(decisions).moved
    threading.Thread(target=agent.stop).start()
    assert list(decisions) == []


def test_a_card_is_judged_by_when_it_was_shown_and_not_by_when_it_was_asked_about(world: World) -> None:
    shown = [ReaderEvent(Shown.CARD, card) for card in ("first", "second", "third")]
    began = world.clock.time
    slow = iter([4.0, 4.0])
    world.server.before_answer = lambda: world.clock.advance(next(slow, 0.0))
    agent = Agent(world.post, readers=[SimulatedReader(shown)])
    decisions = agent.passages()
    assert [next(decisions).seen.card for _ in range(2)] == ["first", "second"]
    agent.stop()
    assert list(decisions) == []
    assert [sighting.seen_at - began for sighting in world.server.sightings] == [timedelta(0)] * 2
    assert world.post.statistics.parts_too_old <= 1


def test_whoever_may_be_gone_is_not_asked_about(world: World) -> None:
    shown = [ReaderEvent(Shown.CARD, card) for card in ("first", "second")]
    world.server.before_answer = lambda: world.clock.advance(8.0)
    agent = Agent(world.post, readers=[SimulatedReader(shown)])

    def stop_once_it_was_dropped() -> None:
        for _ in range(2000):
            if world.post.statistics.parts_too_old:
                break
            threading.Event().wait(0.01)
        agent.stop()

    decisions = agent.passages()
    assert next(decisions).seen.card == "first"
    threading.Thread(target=stop_once_it_was_dropped).start()
    assert list(decisions) == []
    assert world.post.statistics.parts_too_old == 1
    assert len(world.server.sightings) == 1


def test_a_reader_shows_that_the_barrier_jammed_and_not_green(world: World) -> None:
    world.barrier.jammed = True
    reader = SimulatedReader([ReaderEvent(Shown.CARD, CARD)])
    (decision,) = Agent(world.post, watch=watching(), readers=[reader], forever=False).passages()
    assert (decision.opens, decision.moved) == (True, False)
    assert reader.told[-1] is Sign.JAMMED


@pytest.mark.parametrize(
    ("expects", "sign"), [({"card", "pin"}, Sign.ENTER_PIN), ({"card", "face"}, Sign.LOOK)]
)
def test_a_reader_says_what_is_missing(world: World, expects: set[str], sign: Sign) -> None:
    orders = replace(ORDERS, expects=(frozenset(expects),), gather_seconds=60.0)
    reader = SimulatedReader([ReaderEvent(Shown.CARD, CARD)])
    agent = Agent(replace(world.post, orders=orders), watch=watching(), readers=[reader], forever=False)
    list(agent.passages())
    assert reader.told == [sign, Sign.GRANTED]


@pytest.mark.parametrize(
    ("answers", "moved"),
    [
        ([Movement.COMING, Movement.MOVED], True),
        ([Movement.FAILED], False),
        ([Movement.COMING] * 1000, False),
    ],
)
def test_a_barrier_may_answer_later(world: World, answers: list[Movement], moved: bool) -> None:
    world.barrier.answers_later(*answers)
    assert world.doorman.pass_one(Seen(card=CARD)).moved is moved


def test_what_identifies_somebody_is_never_shown() -> None:
    shown = repr(Decision(seen=replace(FACE, card="secret-card", pin="4711", qr="secret-qr")))
    assert "secret" not in shown
    assert "4711" not in shown
    assert "AAAA" not in shown
