from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any, ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorward.core import wire
from doorward.core.errors import Denied
from doorward.core.wire import (
    Credential,
    Mode,
    OfflineDoor,
    OfflinePolicy,
    credential_hash,
    link_of,
)
from doorward.gates import service
from doorward.gates.model import (
    Direction,
    Effect,
    Factor,
    Gate,
    Grant,
    Identification,
    Reason,
    Schedule,
    Span,
    Strictness,
    Verb,
    Window,
)
from doorward.gates.rules.factors import alternative
from doorward.gates.service import Cause
from doorward.gates.service.hours import without
from doorward.gates.service.offline import credentials_alone
from doorward.platform.db import Unit
from tests.conftest import GUARD, SITE, SteppingClock
from tests.gates.journals import Journal, decision, policy
from tests.gates.scene import CARD_GATE, HALL, SERVER_KEYS, Scene


def test_a_journal_is_taken_over_once_however_often_it_is_sent(scene: Scene) -> None:
    journal = Journal(scene)
    journal.opened()
    journal.add(decision(opens=False, because="offline-out-of-hours", subject_id="person_bob"))
    first = journal.replay()
    again = journal.replay()
    assert first == again
    assert first.head == journal.previous
    assert scene.states() == [("opened", "offline-policy"), ("refused", "offline-out-of-hours")]
    assert scene.inside() == ["person_ada"]
    journal.opened("person_bob")
    assert journal.replay(journal.entries[2:]).head == journal.previous
    assert len(scene.states()) == 3


def test_a_gap_in_the_journal_stops_the_receipt_and_alarms_once(scene: Scene) -> None:
    journal = Journal(scene)
    journal.opened()
    journal.opened("person_bob")
    holding = journal.replay([journal.entries[0], *journal.entries[2:]])
    assert holding.head == link_of(journal.entries[0].body)
    journal.replay([journal.entries[3]])
    assert scene.alarms() == ["journal-broken"]
    assert journal.replay().head == journal.previous
    assert [state for state, _ in scene.states()] == ["opened", "opened"]


def test_a_forged_entry_is_refused_and_nothing_of_its_batch_is_kept(scene: Scene) -> None:
    journal = Journal(scene)
    journal.opened()
    forged = replace(journal.entries[1], signature=bytes(64))
    with pytest.raises(Denied):
        journal.replay([journal.entries[0], forged])
    assert scene.states() == []


def test_a_passage_both_decided_is_counted_once(scene: Scene) -> None:
    permit = scene.card()
    journal = Journal(scene)
    journal.opened(instead_of=permit.sequence)
    journal.replay()
    assert scene.states() == [("opened", "granted")]
    assert scene.inside() == ["person_ada"]


def test_an_opening_the_server_had_refused_is_kept_and_alarms(scene: Scene) -> None:
    permit = scene.card("nobody")
    journal = Journal(scene)
    journal.opened(instead_of=permit.sequence)
    journal.replay()
    assert scene.states() == [("refused", "unknown"), ("opened", "offline-policy")]
    assert scene.alarms() == ["offline-disagreed"]


def test_an_old_journal_moves_nobody_who_was_seen_since(scene: Scene, clock: SteppingClock) -> None:
    journal = Journal(scene)
    journal.opened()
    clock.advance(minutes=5)
    scene.card()
    scene.card(gate_id="gate_out")
    scene.card()
    clock.advance(minutes=-3)
    journal.replay()
    assert scene.inside() == ["person_ada"]


def test_doors_told_offline_raise_their_alarms(scene: Scene) -> None:
    journal = Journal(scene)
    journal.add(OfflineDoor(state=wire.Door.OPENED))
    journal.replay()
    assert scene.alarms() == ["door-forced"]


def test_a_fire_and_an_opened_cover_alarm_even_if_the_door_has_said_something_newer(scene: Scene) -> None:
    journal = Journal(scene)
    for told in (wire.Door.FIRE, wire.Door.TAMPERED, wire.Door.OPENED):
        journal.add(OfflineDoor(state=told))
    assert scene.tell(wire.Door.CLOSED) == "closed"
    journal.replay()
    assert scene.alarms() == ["door-tampered", "fire-contact"]
    assert scene.statuses(CARD_GATE.id) == ["closed"]


def test_a_policy_knows_credentials_by_hash_and_says_when(scene: Scene) -> None:
    scene.set(Schedule(id="early", name="Early", weekly=((Span(13 * 60, 14 * 60),),) * 7))
    with scene.unit() as unit:
        for one in service.grants_of(unit, "person_bob"):
            service.revoke_grant(unit, one.id)
    scene.grant(Grant(id="", holder_id="person_bob", schedule_id="early"))
    scene.limit("person_ada", valid_until=scene.clock.now + timedelta(hours=2))
    made = policy(scene)
    assert b"card-ada" not in wire.encode(made)
    found = {one.hash: (one.subject_id, made.schedules[one.schedule]) for one in made.entries}
    ada = found[credential_hash(made.hash_key, Credential.CARD, "card-ada")]
    bob = found[credential_hash(made.hash_key, Credential.CARD, "card-bob")]
    assert [(w.opens, w.closes) for w in ada[1]] == [
        (scene.clock.now, scene.clock.now + timedelta(hours=2)),
    ]
    assert [(w.opens.hour, w.closes.hour) for w in bob[1]] == [(13, 14)]
    assert {one.kind for one in made.entries} == {Credential.CARD}
    assert made.expires_at == scene.clock.now + timedelta(hours=24)


def test_the_denied_and_suspended_are_in_no_policy(scene: Scene) -> None:
    scene.limit("person_ada", suspended=True)
    scene.grant(Grant(id="", holder_id="person_bob", effect=Effect.DENY))
    assert policy(scene).entries == ()


def test_orders_reach_the_policy(scene: Scene) -> None:
    assert policy(scene).mode is Mode.NORMAL
    with scene.unit() as unit:
        service.give_order(unit, scene.post, Verb.LOCKDOWN, Cause(reason=Reason.THREAT))
    assert policy(scene).mode is Mode.LOCKDOWN
    with scene.unit() as unit:
        service.give_order(unit, scene.post, Verb.FIRE, Cause(reason=Reason.OTHER))
    assert policy(scene).mode is Mode.EVACUATION


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ({}, {"card"}),
        ({"factors": ((Factor.CARD, Factor.FACE),)}, set()),
        ({"factors": ((Factor.CARD, Factor.FACE),), "offline_single_factor": True}, {"card"}),
        ({"factors": ((Factor.PLATE,), (Factor.QR,))}, {"plate", "qr"}),
        ({"two_person_seconds": 30}, set()),
        ({"interlock_id": "trap"}, set()),
        ({"enabled": False}, set()),
        ({"door_passback": Strictness.HARD}, set()),
        ({"door_passback": Strictness.SOFT}, {"card"}),
        ({"direction": Direction.OUT, "to_zone_id": None}, set()),
        ({"direction": Direction.OUT, "factors": ((Factor.CARD, Factor.FACE),)}, {"card"}),
    ],
)
def test_without_the_server_only_what_opens_alone_opens(facts: dict[str, Any], expected: set[str]) -> None:
    gate: Gate = replace(CARD_GATE, **facts)
    assert {kind.value for kind in credentials_alone(gate)} == expected


@given(st.lists(st.sets(st.sampled_from(Factor), min_size=1), min_size=1), st.sampled_from(Identification))
def test_whoever_cuts_the_line_or_floods_the_server_needs_no_less_than_with_it(
    parts: list[set[Factor]], identification: Identification
) -> None:
    gate = replace(CARD_GATE, factors=tuple(tuple(part) for part in parts), identification=identification)
    for kind in credentials_alone(gate):
        assert alternative(gate.factors, {Factor(kind.value)}, live=None) is not None


def test_a_plate_must_be_read_as_well_without_the_server_as_with_it(scene: Scene) -> None:
    scene.set(replace(CARD_GATE, factors=((Factor.PLATE,),), least_frames=7, least_character_confidence=0.9))
    told = policy(scene)
    assert (told.least_frames, told.least_character_confidence) == (7, 0.9)


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ({"capacity": 5}, set()),
        ({"capacity": 5, "capacity_rule": Strictness.SOFT}, {"card"}),
        ({"area_passback": Strictness.HARD}, set()),
        ({"timed_passback": Strictness.HARD}, set()),
        ({"area_passback": Strictness.SOFT}, {"card"}),
    ],
)
def test_what_counts_people_strictly_stays_shut_without_the_server(
    scene: Scene, facts: dict[str, Any], expected: set[str]
) -> None:
    scene.set(replace(HALL, **facts))
    assert {entry.kind.value for entry in policy(scene).entries} == expected


def test_a_way_out_that_counts_knows_everybody_so_that_it_can_tell_who_left(scene: Scene) -> None:
    scene.limit("person_ada", suspended=True)
    made = policy(scene, "gate_out")
    assert {entry.subject_id for entry in made.entries} == {"person_ada", "person_bob"}
    assert [(w.opens, w.closes) for w in made.schedules[0]] == [(made.not_before, made.expires_at)]


def test_policies_are_numbered_upwards_even_if_the_servers_clock_was_set_back(
    scene: Scene, clock: SteppingClock
) -> None:
    before = policy(scene).version
    clock.advance(days=-1)
    assert policy(scene).version == before + 1


def test_a_policy_that_cannot_hold_everybody_says_so_aloud(scene: Scene) -> None:
    scene.memory.more_cards = 50_000
    assert len(policy(scene).entries) == 50_000
    assert scene.alarms() == ["policy-cut"]


def test_a_policy_is_gathered_without_the_writers_place(scene: Scene) -> None:
    class Opening:
        """Units for a caller, with what was asked in which of them."""

        gathered_in: ClassVar[list[str]] = []

        @contextmanager
        def unit(self) -> Iterator[Unit]:
            with scene.unit() as unit:
                scene.memory.noted = lambda: self.gathered_in.append("writing")
                yield unit

        @contextmanager
        def reading(self) -> Iterator[Unit]:
            with scene.database.reading(GUARD, SITE) as unit:
                scene.memory.noted = lambda: self.gathered_in.append("reading")
                yield unit

    signed = scene.request(wire.Wants.POLICY)
    answer = service.answer_request_apart(Opening(), scene.post, signed)
    made = wire.open_message(SERVER_KEYS.signing.public_key(), OfflinePolicy, answer)
    assert len(made.entries) == 2
    assert Opening.gathered_in == ["reading"]


spans = st.lists(st.builds(lambda a, n: Window(a, a + n), st.integers(0, 50), st.integers(1, 20)), max_size=4)


@given(spans, spans)
def test_denied_time_is_cut_out_second_by_second(allowed: list[Window], denied: list[Window]) -> None:
    left = without(allowed, denied)
    for second in range(80):
        inside = any(w.start <= second < w.end for w in allowed)
        barred = any(w.start <= second < w.end for w in denied)
        assert any(w.start <= second < w.end for w in left) == (inside and not barred)
