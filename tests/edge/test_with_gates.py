"""The agent before the real server rooms: the same bytes, the same promises on both sides."""

from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from doorward.core.keys import ServerKeys
from doorward.core.wire import Door, Kind, OfflineDoor, Signed
from doorward.gates import service
from doorward.gates.model import Reason, Verb
from doorward.gates.service import Cause
from doorward.gates.store import doors
from doorward.platform.db import Database
from doorward_edge.alone import Because
from doorward_edge.clock import ClockWatch
from doorward_edge.commands import Commands
from doorward_edge.doorman import Doorman
from doorward_edge.drivers.local_link import LocalLink
from doorward_edge.drivers.simulated import SimulatedBarrier
from doorward_edge.held import Held
from doorward_edge.journal import Journal
from doorward_edge.passage import Seen
from doorward_edge.post import Orders, Post
from doorward_edge.standalone import Standalone
from doorward_edge.state import AgentState
from doorward_edge.trust import Trust
from doorward_edge.upkeep import Upkeep
from tests.conftest import SITE, SteppingClock
from tests.edge.world import HandClock
from tests.gates.scene import AGENT_KEY, CARD_GATE, SERVER_KEYS, Scene

ADA = Seen(card="card-ada")


class SharedTime(HandClock):
    """The agent's clocks, moved together with the server's."""

    def __init__(self, server: SteppingClock) -> None:
        super().__init__()
        self._server = server
        self.time = server.now

    def advance(self, seconds: float) -> None:
        super().advance(seconds)
        self._server.advance(seconds=seconds)


@dataclass
class Site:
    scene: Scene
    post: Post
    upkeep: Upkeep
    doorman: Doorman
    commands: Commands
    barrier: SimulatedBarrier
    clock: SharedTime


def link_to(scene: Scene) -> LocalLink:
    def note(kind: Kind, message: Signed) -> None:
        with scene.unit() as unit:
            deed = service.report if kind is Kind.OUTCOME else service.report_door
            deed(unit, scene.post, message)

    def answer(message: Signed) -> Signed:
        with scene.unit() as unit:
            return service.admit(unit, scene.post, message)

    def give(message: Signed) -> Signed:
        with scene.unit() as unit:
            return service.answer_request(unit, scene.post, message)

    def order(message: Signed) -> Signed:
        with scene.unit() as unit:
            return service.standing_at(unit, scene.post, message)

    def introduce(message: Signed) -> list[Signed]:
        with scene.unit() as unit:
            return service.handovers_to(unit, scene.post, message)

    def take(entries: Sequence[Signed], restart: Signed | None) -> Signed:
        with scene.unit() as unit:
            return service.replay(unit, scene.post, entries, restart=restart)

    return LocalLink(answer=answer, note=note, take=take, give=give, order=order, introduce=introduce)


@pytest.fixture
def site(database: Database, clock: SteppingClock, tmp_path: Path) -> Iterator[Site]:
    scene, time = Scene(database, clock), SharedTime(clock)
    barrier = SimulatedBarrier(time)
    state = AgentState(tmp_path / "agent.state", AGENT_KEY)
    post = Post(
        orders=Orders(agent_id="agent_1", gate_id=CARD_GATE.id, expects=(frozenset({"card"}),)),
        key=AGENT_KEY,
        trust=Trust([SERVER_KEYS.signing.public_key()], state, time),
        state=state,
        link=link_to(scene),
        barrier=barrier,
        clock=time,
        watch=ClockWatch(time),
    )
    journal = Journal(post)
    held = Held(barrier, time, post.statistics)
    upkeep = Upkeep(post, journal, held)
    upkeep.round()
    doorman = Doorman(post, upkeep, Standalone(post, upkeep, journal, held))
    yield Site(scene, post, upkeep, doorman, Commands(post, upkeep, held), barrier, time)
    post.state.close()


def test_a_card_opens_and_its_holder_is_counted_inside(site: Site) -> None:
    decision = site.doorman.pass_one(ADA)
    site.upkeep.deliver()
    assert decision.moved
    assert site.scene.inside() == ["person_ada"]
    assert [state for state, _ in site.scene.states()] == ["opened"]


def test_a_stranger_is_refused_with_the_servers_reason(site: Site) -> None:
    decision = site.doorman.pass_one(Seen(card="nobody"))
    assert (decision.opens, decision.because, decision.offline) == (False, "unknown", False)


def test_offline_passages_are_told_later_and_counted_once(site: Site) -> None:
    site.upkeep.lost()
    assert site.doorman.pass_one(ADA).moved
    assert site.doorman.pass_one(Seen(card="nobody")).because == Because.UNKNOWN
    site.clock.advance(60)
    assert site.upkeep.round()
    assert site.post.state.journal_length() == 0
    assert site.scene.inside() == ["person_ada"]
    assert site.scene.states() == [("opened", "offline-policy"), ("refused", "offline-unknown-credential")]
    assert site.doorman.pass_one(ADA).offline is False


def test_staff_open_from_afar_once(site: Site) -> None:
    with site.scene.unit() as unit:
        service.open_now(unit, site.scene.post, CARD_GATE.id, Cause(reason=next(iter(Reason))))
    assert [decision.moved for decision in site.commands.look()] == [True]
    site.upkeep.deliver()
    site.clock.advance(2)
    assert site.commands.look() == []
    assert [state for state, _ in site.scene.states()] == ["opened"]


def test_after_its_state_was_lost_an_agent_is_told_where_to_go_on(site: Site, tmp_path: Path) -> None:
    for _ in range(3):
        site.doorman.pass_one(ADA)
    site.post.state.close()
    with closing(AgentState(tmp_path / "new.state", AGENT_KEY)) as state:
        post = replace(site.post, state=state)
        journal = Journal(post)
        held = Held(site.barrier, site.clock, post.statistics)
        upkeep = Upkeep(post, journal, held)
        upkeep.round()
        decision = Doorman(post, upkeep, Standalone(post, upkeep, journal, held)).pass_one(ADA)
        assert (decision.moved, decision.sequence) == (True, 4)


def test_an_entry_for_a_gate_that_was_taken_away_is_refused_and_what_follows_is_heard(site: Site) -> None:
    site.upkeep.lost()
    site.doorman.pass_one(ADA)
    other = replace(site.post, orders=replace(site.post.orders, gate_id="gate_out"))
    Journal(other).write(OfflineDoor(state=Door.OPENED))
    site.scene.register("gate_out")
    site.clock.advance(60)
    site.upkeep.deliver()
    assert site.post.state.journal_length() == 0
    assert site.post.state.chain.all_set_aside() == [(1, "denied"), (2, "denied")]
    assert "journal-broken" in site.scene.alarms()
    with site.scene.unit() as unit:
        assert [door.leaf for door in service.list_doors(unit)] == ["forced"]


def test_a_journal_goes_on_after_the_server_forgot_its_end(site: Site) -> None:
    with site.scene.unit() as unit:
        older = doors.find_agent_state(unit.rows, "agent_1")
        assert older
    for _ in range(2):
        site.upkeep.lost()
        site.doorman.pass_one(ADA)
        site.clock.advance(60)
        site.upkeep.deliver()
        with site.scene.unit() as unit:
            doors.set_agent_state(unit.rows, SITE, older)
    assert site.post.state.journal_length() == 0
    assert "journal-broken" in site.scene.alarms()
    assert len(site.scene.states()) == 2


def test_an_order_reaches_the_barrier_within_a_second_or_two_and_leaves_as_soon(site: Site) -> None:
    with site.scene.unit() as unit:
        order = service.give_order(unit, site.scene.post, Verb.UNLOCK, Cause(reason=next(iter(Reason))))
    site.clock.advance(1)
    site.commands.look()
    assert site.barrier.state() == "open"
    with site.scene.unit() as unit:
        service.release(unit, site.scene.post, order.id, Cause(reason=next(iter(Reason))))
    site.clock.advance(1)
    site.commands.look()
    assert site.barrier.state() == "shut"


def test_a_server_whose_clock_was_set_back_is_heard_as_before(site: Site) -> None:
    site.scene.clock.advance(days=-1)
    with site.scene.unit() as unit:
        service.give_order(unit, site.scene.post, Verb.LOCKDOWN, Cause(reason=next(iter(Reason))))
    site.upkeep.round()
    site.upkeep.lost()
    assert site.doorman.pass_one(ADA).because == Because.LOCKDOWN


def test_when_the_servers_key_turns_agents_follow_and_older_journals_are_still_read(site: Site) -> None:
    site.upkeep.lost()
    site.doorman.pass_one(ADA)
    new = Ed25519PrivateKey.from_private_bytes(bytes(range(200, 232)))
    keys = ServerKeys.from_signing_key("server_2", new, [SERVER_KEYS.signing])
    keys = replace(keys, older_journals=(SERVER_KEYS.journal,))
    site.scene.post = replace(site.scene.post, keys=keys)
    site.clock.advance(60)
    assert site.upkeep.round()
    assert site.post.state.journal_length() == 0
    assert [state for state, _ in site.scene.states()] == ["opened"]
    decision = site.doorman.pass_one(Seen(card="nobody"))
    assert (decision.because, decision.offline) == ("unknown", False)


def test_a_revoked_agent_opens_nothing(site: Site) -> None:
    site.scene.register(CARD_GATE.id, revoked=True)
    assert site.doorman.pass_one(ADA).because == Because.SERVER
    assert site.barrier.openings == []
