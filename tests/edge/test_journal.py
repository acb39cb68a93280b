from collections.abc import Iterator
from pathlib import Path

import pytest

from doorward.core.errors import Conflict, Denied, NotFound
from doorward.core.wire import Door, JournalEntry, OfflineDecision, OfflineDoor, OfflineOutcome
from doorward_edge.journal import BATCH
from doorward_edge.passage import Seen
from tests.edge.world import CARD, World

GOOD, WRONG = Seen(card=CARD), Seen(card="other")


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    world = World(tmp_path)
    yield world
    world.post.state.close()


def refuse_the_first(world: World) -> None:
    taken: list[int] = []

    def refuses(entry: JournalEntry) -> str | None:
        taken.append(entry.sequence)
        return "unreadable" if len(taken) == 1 else None

    world.server.refuses = refuses


def test_an_entry_that_the_server_cannot_take_is_set_aside_and_the_rest_goes_on(world: World) -> None:
    world.cut()
    for seen in (WRONG, GOOD):
        world.doorman.pass_one(seen)
    refuse_the_first(world)
    world.mend()
    assert [type(fact) for _, fact in world.server.journal] == [OfflineDecision, OfflineOutcome]
    assert world.post.state.journal_length() == 0
    ((_, because),) = world.post.state.chain.all_set_aside()
    assert because == "unreadable"
    assert world.post.statistics.entries_set_aside == 1
    world.cut()
    world.doorman.pass_one(GOOD)
    world.mend()
    assert len(world.server.journal) == 4


def test_an_entry_that_rotted_on_the_disk_does_not_stop_the_rest(world: World) -> None:
    world.cut()
    for _ in range(2):
        world.doorman.pass_one(WRONG)
    (first, entry), *_ = world.post.state.chain.oldest(most=1)
    world.post.state.chain.set_aside(first, "test")
    spoilt = type(entry)(entry.body.replace(b"gate_a", b"gate_b"), entry.signer_id, entry.signature)
    world.post.state.chain.append(first, spoilt)
    world.mend()
    assert len(world.server.journal) == 1
    assert [one.previous != bytes(32) for one in world.server.restarts] == [True]
    assert world.post.state.journal_length() == 0


def test_a_server_put_back_from_an_older_copy_is_told_that_the_chain_restarts(world: World) -> None:
    world.cut()
    world.doorman.pass_one(GOOD)
    older = (world.server.up_to, world.server.head)
    world.mend()
    world.server.up_to, world.server.head = older
    world.cut()
    world.doorman.pass_one(GOOD)
    world.mend()
    assert world.post.state.journal_length() == 0
    assert [restart.held for restart in world.server.restarts] == [bytes(32)]


def test_outcomes_and_doors_do_not_wait_behind_a_journal_that_is_refused(world: World) -> None:
    world.cut()
    world.doorman.pass_one(WRONG)
    world.server.away = False

    def stumble(entry: JournalEntry) -> str | None:
        raise ZeroDivisionError(entry.sequence)

    world.server.refuses = stumble
    world.clock.advance(world.orders.retry_seconds)
    world.doorman.pass_one(GOOD)
    world.upkeep.report_door(Door.OPENED)
    with pytest.raises(ZeroDivisionError):
        world.upkeep.deliver()
    assert [outcome.moved for outcome in world.server.outcomes] == [True]
    assert [state.state for state in world.server.doors] == [Door.OPENED]


@pytest.mark.parametrize(("refusal", "kept"), [(Denied, 1), (Conflict, 0), (NotFound, 0)])
def test_what_a_server_refuses_for_now_is_kept_and_what_it_refuses_for_good_is_not(
    world: World, refusal: type[Exception], kept: int
) -> None:
    world.server.refuse_reports = refusal
    world.doorman.pass_one(GOOD)
    world.upkeep.report_door(Door.OPENED)
    world.upkeep.look_after()
    state = world.post.state
    assert (len(state.pending_outcomes()), len(state.pending_door_states())) == (kept, kept)
    world.server.refuse_reports = None
    world.clock.advance(world.orders.refresh_seconds)
    world.upkeep.look_after()
    assert (state.pending_outcomes(), state.pending_door_states()) == ([], [])
    assert (len(world.server.outcomes), len(world.server.doors)) == (kept, kept)


def test_a_long_journal_goes_in_batches_and_keeps_nobody_waiting(world: World) -> None:
    world.cut()
    for _ in range(BATCH + 10):
        world.doorman.pass_one(WRONG)
    world.mend()
    assert world.post.state.journal_length() == 10
    decision = world.doorman.pass_one(GOOD)
    assert (decision.moved, decision.offline) == (True, False)
    assert world.post.state.journal_length() == 10
    sighting = world.server.sightings[-1]
    assert sighting.sequence > max(entry.sequence for entry, _ in world.server.journal)
    world.upkeep.look_after()
    assert world.post.state.journal_length() == 0
    sequences = [entry.sequence for entry, _ in world.server.journal]
    assert sequences == sorted(set(sequences))
    assert sighting.sequence not in sequences


def test_a_door_between_a_decision_and_its_end_does_not_hide_that_the_end_is_missing(world: World) -> None:
    world.cut()
    world.journal.write(
        OfflineDecision(
            opens=True,
            because=None,
            subject_id=None,
            seen=(),
            face_seen=False,
            policy_version=None,
            instead_of=None,
        )
    )
    world.upkeep.report_door(Door.OPENED)
    world.server.away = False
    world.restart()
    assert [type(fact) for _, fact in world.server.journal] == [OfflineDecision, OfflineDoor, OfflineOutcome]
