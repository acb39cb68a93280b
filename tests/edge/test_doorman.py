from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from doorward.core.encoding import to_text
from doorward.core.wire import (
    Credential,
    Direction,
    FaceEvidence,
    Mode,
    OfflineDecision,
    OfflineOutcome,
    Permit,
    PlateEvidence,
    Request,
    Signed,
    Wants,
    open_message,
)
from doorward_edge.alone import Because
from doorward_edge.passage import Seen
from doorward_edge.ports import Movement, Step
from tests.edge.world import AGENT_KEY, CARD, ORDERS, SERVER_KEY, STRANGER_KEY, FakeServer, World

FACE = FaceEvidence(template=to_text(bytes(512)), frames=4, quality=12.0)
PLATE = PlateEvidence(candidates=(("AB123C", 0.9),), minimum_character_confidence=0.9, frames=4)
GOOD, WRONG = Seen(card=CARD), Seen(card="other")


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    world = World(tmp_path)
    yield world
    world.post.state.close()


def later(permit: Permit) -> Permit:
    return replace(permit, sequence=permit.sequence + 1)


FORGERIES: list[tuple[Callable[[Permit], Permit], str]] = [
    (lambda p: replace(p, gate_id="gate_b"), Because.NOT_OURS),
    (lambda p: replace(p, agent_id="agent_b"), Because.NOT_OURS),
    (lambda p: replace(p, sequence=p.sequence + 1), Because.NOT_OURS),
]


def test_a_known_card_opens_once_and_the_server_hears_of_it(world: World) -> None:
    decision = world.doorman.pass_one(GOOD)
    world.upkeep.deliver()
    assert (decision.opens, decision.moved, decision.offline) == (True, True, False)
    assert world.barrier.openings == [5]
    assert [(o.permit_id, o.moved, o.certain) for o in world.server.outcomes] == [
        (decision.permit_id, True, True)
    ]


def test_an_unknown_card_stays_outside_with_the_servers_reason(world: World) -> None:
    decision = world.doorman.pass_one(WRONG)
    assert (decision.opens, decision.because) == (False, "unknown")
    assert world.barrier.openings == []


@pytest.mark.parametrize(("change", "because"), FORGERIES)
def test_a_permit_for_another_gate_agent_or_sighting_opens_nothing(
    world: World, change: Callable[[Permit], Permit], because: str
) -> None:
    world.server.change = change
    assert world.doorman.pass_one(GOOD).because == because
    assert world.barrier.openings == []


def test_a_permit_by_another_key_opens_nothing(world: World) -> None:
    world.server.key = STRANGER_KEY
    assert world.doorman.pass_one(GOOD).because == Because.FORGED
    assert world.barrier.openings == []
    assert world.post.statistics.not_genuine == 1


def test_a_recorded_permit_opens_nothing_the_second_time(world: World) -> None:
    first = world.doorman.pass_one(GOOD)
    assert first.sequence
    recorded = world.server.answers[first.sequence]
    for sequence in range(first.sequence + 1, first.sequence + 4):
        world.server.answers[sequence] = recorded
    assert world.doorman.pass_one(GOOD).because == Because.NOT_OURS
    world.restart()
    for sequence in range(first.sequence, first.sequence + 200):
        world.server.answers[sequence] = recorded
    assert world.doorman.pass_one(GOOD).because == Because.NOT_OURS
    assert world.barrier.openings == [5]


@pytest.mark.parametrize("seconds", [5.0, 6.0, 3600.0])
def test_an_answer_that_took_too_long_opens_nothing(world: World, seconds: float) -> None:
    world.server.before_answer = lambda: world.clock.advance(seconds)
    assert world.doorman.pass_one(GOOD).because == Because.LATE
    assert world.barrier.openings == []
    world.upkeep.deliver()
    assert [(outcome.moved, outcome.certain) for outcome in world.server.outcomes] == [(False, True)]


def test_a_permit_whose_barrier_is_still_moving_is_not_reported_as_lost(world: World) -> None:
    world.barrier.answers_later(Movement.MOVED)
    told_meanwhile: list[int] = []

    def step(at: Step) -> None:
        if at is Step.MARKED:
            world.upkeep.deliver()
            told_meanwhile.append(len(world.server.outcomes))

    world.checkpoint = step
    world.restart()
    assert world.doorman.pass_one(GOOD).moved
    assert told_meanwhile == [0]
    assert world.upkeep.waits
    world.upkeep.look_after()
    assert [(outcome.moved, outcome.certain) for outcome in world.server.outcomes] == [(True, True)]


@pytest.mark.parametrize("jump", [timedelta(days=-400), timedelta(days=400)])
def test_a_jumping_wall_clock_neither_shortens_nor_stretches_a_permit(world: World, jump: timedelta) -> None:
    def leap() -> None:
        world.clock.time += jump

    world.server.before_answer = leap
    assert world.doorman.pass_one(GOOD).moved

    def leap_and_wait() -> None:
        world.clock.ran += 6
        world.clock.time += jump

    world.server.before_answer = leap_and_wait
    assert world.doorman.pass_one(GOOD).because == Because.LATE


def test_a_lost_answer_is_asked_for_again_and_opens_once(world: World) -> None:
    world.server.lose_answers = 1
    decision = world.doorman.pass_one(GOOD)
    assert decision.moved
    assert not decision.offline
    assert len(world.server.sightings) == 1


def test_a_jammed_barrier_is_reported_as_not_moved(world: World) -> None:
    world.barrier.jammed = True
    assert world.doorman.pass_one(GOOD).moved is False
    world.upkeep.deliver()
    assert [o.moved for o in world.server.outcomes] == [False]


def test_what_the_server_refuses_to_hear_again_is_not_said_for_ever(world: World) -> None:
    world.doorman.pass_one(GOOD)
    world.upkeep.deliver()
    world.upkeep.deliver()
    assert world.post.state.pending_outcomes() == []


OFFLINE = [
    (Seen(card=CARD), True, None),
    (Seen(card=f" {CARD} "), True, None),
    (Seen(card="other"), False, Because.UNKNOWN),
    (Seen(qr=CARD), False, Because.UNKNOWN),
    (Seen(face=FACE), False, Because.NOTHING),
    (Seen(pin="4711"), False, Because.NOTHING),
    (Seen(card=CARD, face=FACE, pin="1"), True, None),
    (Seen(plate=PLATE), True, None),
    (Seen(plate=replace(PLATE, frames=1)), False, Because.NOTHING),
    (Seen(plate=replace(PLATE, minimum_character_confidence=0.1)), False, Because.NOTHING),
    (Seen(card=CARD, plate=PLATE), False, Because.MIXED),
    (Seen(card="other", plate=PLATE), False, Because.UNKNOWN),
]


@pytest.mark.parametrize(("seen", "opens", "because"), OFFLINE)
def test_alone_the_agent_opens_only_to_what_the_policy_names(
    world: World, seen: Seen, opens: bool, because: str | None
) -> None:
    world.cut()
    decision = world.doorman.pass_one(seen)
    assert (decision.opens, decision.because, decision.offline) == (opens, because, True)
    assert world.barrier.openings == ([4] if opens else [])


def _expired(world: World) -> None:
    world.clock.advance(24 * 3600 - 1)
    world.server.away = True
    world.clock.advance(2)


def _after_hours(world: World) -> None:
    world.clock.advance(9 * 3600)


def _forward(world: World) -> None:
    world.clock.time += timedelta(hours=3)


def _back(world: World) -> None:
    world.clock.time -= timedelta(hours=3)


@pytest.mark.parametrize(
    ("happens", "because"),
    [
        (_expired, Because.CLOCK),
        (_after_hours, Because.HOURS),
        (_forward, Because.CLOCK),
        (_back, Because.CLOCK),
    ],
)
def test_alone_the_agent_refuses_in_doubt_about_hours(
    world: World, happens: Callable[[World], None], because: str
) -> None:
    world.server.away = True
    happens(world)
    world.upkeep.lost()
    assert world.doorman.pass_one(GOOD).because == because
    assert world.barrier.openings == []


def test_a_measured_clock_is_trusted_again(world: World) -> None:
    world.cut()
    _forward(world)
    assert world.doorman.pass_one(GOOD).because == Because.CLOCK
    world.clock.time -= timedelta(hours=3)
    world.mend()
    world.cut()
    assert world.doorman.pass_one(GOOD).moved


def test_in_lockdown_nobody_enters_and_in_evacuation_everybody_passes(world: World) -> None:
    world.server.mode = Mode.LOCKDOWN
    world.upkeep.round()
    world.cut()
    assert world.doorman.pass_one(GOOD).because == Because.LOCKDOWN
    world.server.mode = Mode.EVACUATION
    world.mend()
    world.cut()
    assert world.doorman.pass_one(Seen(face=FACE)).moved


def test_after_a_restart_without_a_server_nobody_enters(world: World) -> None:
    world.server.away = True
    world.restart()
    assert world.doorman.pass_one(GOOD).because == Because.NO_POLICY
    assert world.barrier.openings == []


def test_a_way_out_opens_whatever_fails(tmp_path: Path) -> None:
    world = World(tmp_path, orders=replace(ORDERS, direction=Direction.OUT))
    world.server.direction = Direction.OUT
    world.upkeep.round()
    assert world.doorman.pass_one(GOOD).moved
    world.server.key = STRANGER_KEY
    assert world.doorman.pass_one(WRONG).moved
    world.cut()
    _forward(world)
    assert world.doorman.pass_one(Seen(face=FACE)).moved
    world.restart()
    assert world.doorman.pass_one(WRONG).moved
    assert world.doorman.after_a_fault(WRONG).moved
    assert len(world.barrier.openings) == 5
    world.post.state.close()


def test_the_journal_tells_the_server_everything_once_and_in_order(world: World) -> None:
    world.cut()
    for seen in (GOOD, WRONG, GOOD):
        world.doorman.pass_one(seen)
    world.mend()
    facts = [fact for _, fact in world.server.journal]
    decisions = [fact for fact in facts if isinstance(fact, OfflineDecision)]
    assert [(d.opens, d.because, d.subject_id) for d in decisions] == [
        (True, None, "person_a"),
        (False, Because.UNKNOWN, None),
        (True, None, "person_a"),
    ]
    assert [fact.moved for fact in facts if isinstance(fact, OfflineOutcome)] == [True, True]
    sequences = [entry.sequence for entry, _ in world.server.journal]
    assert sequences == sorted(set(sequences))
    assert world.post.state.journal_length() == 0
    world.doorman.pass_one(GOOD)
    assert world.server.sightings[-1].sequence > sequences[-1]


def test_a_passage_decided_by_both_sides_is_told_as_one(world: World) -> None:
    world.server.lose_answers = 2
    decision = world.doorman.pass_one(GOOD)
    assert decision.offline
    world.mend()
    (decided, *_) = [fact for _, fact in world.server.journal if isinstance(fact, OfflineDecision)]
    assert decided.instead_of == world.server.sightings[0].sequence


def test_nothing_of_a_person_lies_on_the_agents_disk(world: World) -> None:
    world.cut()
    world.doorman.pass_one(GOOD)
    world.doorman.pass_one(Seen(plate=PLATE))
    world.doorman.pass_one(Seen(qr="a-secret-token", pin="47114711"))
    left = b"".join(path.read_bytes() for path in world.folder.iterdir())
    policy = world.server.policy()
    secret: list[bytes] = [
        CARD.encode(),
        b"AB123C",
        b"a-secret-token",
        b"47114711",
        b"person_a",
        policy.hash_key,
    ]
    secret += [entry.hash for entry in policy.entries]
    forms = [form for one in secret for form in (one, one.hex().encode(), to_text(one).encode())]
    assert not [form for form in forms if form in left]


def test_a_recorded_policy_does_not_replace_a_newer_one(world: World) -> None:
    request = world.post.sign(world.post.request(Wants.POLICY))
    recorded = world.server.fetch(request)
    fetch = world.server.fetch
    world.server.mode = Mode.LOCKDOWN
    world.upkeep.round()

    class Recording(FakeServer):
        def fetch(self, message: Signed) -> Signed:
            is_time = open_message(AGENT_KEY.public_key(), Request, message).wants is Wants.TIME
            return fetch(message) if is_time else recorded

    world.restart(link=Recording(now=lambda: world.clock.time))
    assert world.upkeep.book is None
    assert world.post.statistics.refused_reports == 1


def test_a_server_whose_clock_went_back_gives_policies_all_the_same(world: World) -> None:
    world.server.version = 5
    world.upkeep.round()
    world.server.version, world.server.mode = 4, Mode.LOCKDOWN
    world.server.now = lambda: world.clock.time - timedelta(days=1)
    world.upkeep.round()
    world.cut()
    assert world.doorman.pass_one(GOOD).because == Because.LOCKDOWN


def test_a_server_that_refuses_the_journal_is_not_asked_without_end(world: World) -> None:
    world.cut()
    world.doorman.pass_one(GOOD)
    world.server.away = False
    world.clock.advance(world.orders.retry_seconds)
    world.server.key = STRANGER_KEY
    for _ in range(100):
        world.upkeep.look_after()
    assert 1 <= world.post.statistics.refused_reports <= 2
    assert world.post.state.journal_length() == 2
    world.server.key = SERVER_KEY
    world.clock.advance(world.orders.refresh_seconds)
    world.upkeep.look_after()
    assert world.post.state.journal_length() == 0


def test_refusals_do_not_fill_the_disk_but_openings_are_always_written(tmp_path: Path) -> None:
    world = World(tmp_path, orders=replace(ORDERS, most_refusals_kept=3))
    world.cut()
    for _ in range(5):
        world.doorman.pass_one(WRONG)
    assert world.post.state.journal_length() == 3
    world.doorman.pass_one(GOOD)
    assert world.post.state.journal_length() == 5
    assert world.post.statistics.refusals_not_journalled == 2
    world.post.state.close()


def test_the_offset_of_the_clock_travels_with_each_sighting(world: World) -> None:
    world.clock.time -= timedelta(seconds=90)
    world.server.now = lambda: world.clock.time + timedelta(seconds=90)
    world.upkeep.round()
    world.doorman.pass_one(GOOD)
    sighting = world.server.sightings[-1]
    assert sighting.clock
    assert sighting.clock.offset_ms == 90_000
    assert sighting.seen_at == world.server.now()


def test_a_plate_is_known_to_the_policy_however_it_is_written() -> None:
    shown = Seen(plate=PLATE, card=CARD).credentials(least_frames=3, least_confidence=0.5)
    assert shown == {Credential.CARD: CARD, Credential.PLATE: "AB123C"}
