from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from doorward.core.errors import Tampered
from doorward.core.wire import Handover, Signed, hand_over, seal_message
from doorward_edge.alone import Because
from doorward_edge.passage import Seen
from doorward_edge.state import AgentState
from doorward_edge.trust import Trust
from tests.edge.world import AGENT_KEY, CARD, SERVER_KEY, STRANGER_KEY, HandClock, World

GOOD = Seen(card=CARD)
SECOND = Ed25519PrivateKey.from_private_bytes(bytes(range(1, 33)))
THIRD = Ed25519PrivateKey.from_private_bytes(bytes(range(2, 34)))


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    world = World(tmp_path)
    yield world
    world.post.state.close()


def turn(world: World, key: Ed25519PrivateKey) -> None:
    """The server's key turns; it keeps the older ones to introduce the new."""
    world.server.older.append(world.server.key)
    world.server.key = key


def test_a_turned_key_is_followed_within_the_same_passage(world: World) -> None:
    turn(world, SECOND)
    decision = world.doorman.pass_one(GOOD)
    assert (decision.moved, decision.offline) == (True, False)
    world.upkeep.round()
    world.cut()
    assert world.doorman.pass_one(GOOD).moved


def test_several_turns_missed_are_followed_at_once_and_outlast_a_restart(world: World) -> None:
    turn(world, SECOND)
    turn(world, THIRD)
    assert world.doorman.pass_one(GOOD).moved
    world.server.older.clear()
    world.restart()
    assert world.doorman.pass_one(GOOD).moved


def test_a_key_that_was_followed_signs_nothing_any_more(world: World) -> None:
    turn(world, SECOND)
    assert world.doorman.pass_one(GOOD).moved
    world.server.key = SERVER_KEY
    world.clock.advance(60)
    assert world.doorman.pass_one(GOOD).because == Because.FORGED
    world.restart()
    assert world.doorman.pass_one(GOOD).opens is False


def test_a_key_that_was_followed_hands_over_to_nobody_else(world: World) -> None:
    turn(world, SECOND)
    assert world.doorman.pass_one(GOOD).moved
    world.server.older = [SERVER_KEY]
    world.server.key = STRANGER_KEY
    world.clock.advance(60)
    assert world.doorman.pass_one(GOOD).because == Because.FORGED


@pytest.mark.parametrize("signer", [STRANGER_KEY, SECOND])
def test_only_a_key_that_counts_introduces_another(world: World, signer: Ed25519PrivateKey) -> None:
    world.server.older = [signer]
    world.server.key = SECOND if signer is STRANGER_KEY else THIRD
    assert world.doorman.pass_one(GOOD).because == Because.FORGED
    assert world.barrier.openings == []


def test_nobody_is_followed_who_did_not_agree_or_under_anothers_name(tmp_path: Path) -> None:
    state, clock = AgentState(tmp_path / "state", AGENT_KEY), HandClock()
    trust = Trust([SERVER_KEY.public_key()], state, clock)
    fair = hand_over(SERVER_KEY, SECOND)
    unproven = Handover(before=fair.before, after=THIRD.public_key().public_bytes_raw(), proof=fair.proof)
    of_another = hand_over(STRANGER_KEY, SECOND)
    offered = [seal_message(SERVER_KEY, "server", one) for one in (unproven, of_another)]
    asked = seal_message(SECOND, "server", fair)
    with pytest.raises(Tampered):
        trust.open(Handover, asked, lambda: offered)
    state.close()


def test_a_file_with_new_keys_alone_ends_the_old_line(tmp_path: Path) -> None:
    state, clock = AgentState(tmp_path / "state", AGENT_KEY), HandClock()
    fair = hand_over(SERVER_KEY, SECOND)
    state.known_keys.follow(fair.before, fair.after)
    message = seal_message(SECOND, "server", fair)
    assert Trust([SERVER_KEY.public_key()], state, clock).open(Handover, message, list) == fair
    with pytest.raises(Tampered):
        Trust([THIRD.public_key()], state, clock).open(Handover, message, list)
    several = Trust([THIRD.public_key(), SECOND.public_key()], state, clock)
    assert several.open(Handover, message, list) == fair
    state.close()


def test_strangers_do_not_make_an_agent_ask_without_end(tmp_path: Path) -> None:
    state, clock = AgentState(tmp_path / "state", AGENT_KEY), HandClock()
    trust = Trust([SERVER_KEY.public_key()], state, clock)
    asked: list[int] = []

    def introduce() -> list[Signed]:
        asked.append(1)
        return []

    message = seal_message(STRANGER_KEY, "server", hand_over(STRANGER_KEY, SECOND))
    for _ in range(50):
        with pytest.raises(Tampered):
            trust.open(Handover, message, introduce)
    assert len(asked) == 1
    state.close()
