from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from doorward.gates.model import (
    DoorStatus,
    Effect,
    Factor,
    Grant,
    Identification,
    Open,
    Opening,
    Peer,
    Refusal,
    Seen,
    Situation,
    Strictness,
    Subject,
    Verb,
    Waiting,
    Whereabouts,
    Zone,
)
from doorward.gates.rules.alarms import alarms_for
from doorward.gates.rules.decide import decide
from tests.gates.worlds import (
    ADA,
    BOB,
    EXIT,
    GATE,
    GRANT,
    NOON,
    seen,
    situation,
)

FACE = frozenset({Factor.FACE})
FACE_GATE = replace(GATE, factors=((Factor.FACE,),), identification=Identification.ONE_TO_MANY)
HALL = Zone(id="zone_hall", name="Hall")
AREA = replace(HALL, area_passback=Strictness.HARD)
TIMED = replace(HALL, timed_passback=Strictness.HARD, timed_passback_seconds=60)
FULL = replace(HALL, capacity=3)
JUST_NOW = NOON - timedelta(seconds=10)
PEER_OPEN = Peer(door_id="door_2", status=DoorStatus.OPEN, since=JUST_NOW)
PEER_HELD = Peer(door_id="door_2", status=DoorStatus.HELD, since=JUST_NOW)
PEER_SILENT = Peer(door_id="door_2", is_known=False)
LONG_OPEN = replace(PEER_OPEN, since=NOON - timedelta(seconds=30))
PAIRED = replace(GATE, two_person_seconds=30)
DRIVEN = Subject(id="vehicle_red", kind="vehicle")
PAIR = (GRANT, *(replace(GRANT, id=f"g_{one.id}", holder_id=one.id) for one in (BOB, DRIVEN)))
FACE_OR_CARD = replace(GATE, factors=((Factor.FACE,), (Factor.CARD,)))


def because(sight: Seen, at: Situation) -> Opening | Refusal:
    return decide(sight, at).because


@pytest.mark.parametrize(
    ("facts", "about", "expected"),
    [
        ({}, {}, Opening.GRANTED),
        ({"seen_at": NOON - timedelta(seconds=31)}, {}, Refusal.STALE),
        ({"seen_at": NOON + timedelta(seconds=31)}, {}, Refusal.STALE),
        ({"subjects": ()}, {}, Refusal.UNKNOWN),
        ({"subjects": (), "doubt": Refusal.UNCLEAR_PLATE}, {}, Refusal.UNCLEAR_PLATE),
        ({"doubt": Refusal.IDENTITIES_DIFFER}, {}, Refusal.IDENTITIES_DIFFER),
        ({"proven": frozenset({Factor.CARD})}, {}, Refusal.FACTORS_MISSING),
        ({"proven": frozenset({Factor.CARD}), "doubt": Refusal.PIN_WRONG}, {}, Refusal.PIN_WRONG),
        ({"proven": FACE, "liveness_passed": None}, {"gate": FACE_GATE}, Refusal.LIVENESS_NEEDED),
        ({"proven": FACE, "liveness_passed": False}, {"gate": FACE_GATE}, Refusal.LIVENESS_NEEDED),
        ({"proven": FACE, "liveness_passed": True}, {"gate": FACE_GATE}, Opening.GRANTED),
        ({"subjects": (replace(ADA, suspended=True),)}, {}, Refusal.SUSPENDED),
        ({"subjects": (replace(ADA, valid_until=NOON),)}, {}, Refusal.EXPIRED),
        ({"subjects": (replace(ADA, valid_from=NOON + timedelta(1)),)}, {}, Refusal.NOT_YET_VALID),
        ({}, {"grants": ()}, Refusal.NO_GRANT),
        ({"subjects": (BOB,)}, {}, Refusal.NO_GRANT),
        ({"subjects": (ADA, BOB)}, {}, Refusal.NO_GRANT),
        ({}, {"grants": (replace(GRANT, target_id="gate_other"),)}, Refusal.NO_GRANT),
        ({}, {"grants": (replace(GRANT, schedule_id="schedule_gone"),)}, Refusal.OUT_OF_HOURS),
        ({}, {"grants": (Grant(id="g", holder_id="group_staff"),)}, Opening.GRANTED),
        ({}, {"grants": (GRANT, replace(GRANT, effect=Effect.DENY))}, Refusal.DENY_LISTED),
        ({}, {"orders": frozenset({Verb.LOCKDOWN, Verb.UNLOCK})}, Refusal.LOCKDOWN),
        ({}, {"orders": frozenset({Verb.LOCKDOWN, Verb.EVACUATION})}, Refusal.LOCKDOWN),
        ({}, {"orders": frozenset({Verb.LOCKDOWN, Verb.FIRE})}, Opening.FIRE),
        ({}, {"orders": frozenset({Verb.LOCK})}, Refusal.LOCKED),
        ({"subjects": ()}, {"orders": frozenset({Verb.EVACUATION})}, Opening.EVACUATION),
        ({"subjects": ()}, {"orders": frozenset({Verb.UNLOCK})}, Opening.UNLOCKED),
        ({}, {"gate": replace(GATE, enabled=False)}, Refusal.GATE_DISABLED),
        ({}, {"to_zone": AREA, "whereabouts": Whereabouts(zone_id="zone_hall")}, Refusal.PASSED_BACK),
        ({}, {"to_zone": AREA, "whereabouts": Whereabouts(zone_id="zone_yard")}, Refusal.PASSED_BACK),
        ({}, {"to_zone": AREA, "whereabouts": Whereabouts(zone_id=None)}, Opening.GRANTED),
        (
            {},
            {"to_zone": AREA, "whereabouts": Whereabouts(zone_id="zone_hall", forgiven=True)},
            Opening.GRANTED,
        ),
        (
            {"subjects": (replace(ADA, passback_exempt=True),)},
            {"to_zone": AREA, "whereabouts": Whereabouts(zone_id="zone_hall")},
            Opening.GRANTED,
        ),
        (
            {},
            {
                "to_zone": replace(AREA, presence_timeout_seconds=60),
                "whereabouts": Whereabouts(zone_id="zone_hall", since=NOON - timedelta(seconds=60)),
            },
            Opening.GRANTED,
        ),
        ({}, {"to_zone": TIMED, "whereabouts": Whereabouts(into_zone_at=JUST_NOW)}, Refusal.TOO_SOON),
        (
            {},
            {"to_zone": TIMED, "whereabouts": Whereabouts(into_zone_at=NOON - timedelta(1))},
            Opening.GRANTED,
        ),
        (
            {},
            {
                "gate": replace(GATE, door_passback=Strictness.HARD, door_passback_seconds=60),
                "whereabouts": Whereabouts(through_door_at=JUST_NOW),
            },
            Refusal.TOO_SOON,
        ),
        ({}, {"to_zone": FULL, "inside": 2}, Opening.GRANTED),
        ({}, {"to_zone": FULL, "inside": 3}, Refusal.ZONE_FULL),
        (
            {},
            {"to_zone": replace(FULL, capacity_bypass_group_ids=("group_staff",)), "inside": 3},
            Opening.GRANTED,
        ),
        ({}, {"peers": (PEER_OPEN,)}, Refusal.INTERLOCKED),
        ({}, {"peers": (PEER_HELD,)}, Refusal.INTERLOCKED),
        ({}, {"gate": PAIRED}, Refusal.SECOND_PERSON_NEEDED),
        ({}, {"gate": PAIRED, "waiting": (Waiting(ADA, JUST_NOW),)}, Refusal.SECOND_PERSON_NEEDED),
        (
            {},
            {"gate": PAIRED, "waiting": (Waiting(BOB, NOON - timedelta(minutes=1)),)},
            Refusal.SECOND_PERSON_NEEDED,
        ),
        ({}, {"gate": PAIRED, "waiting": (Waiting(BOB, JUST_NOW),), "grants": PAIR}, Opening.GRANTED),
        ({}, {"gate": PAIRED, "waiting": (Waiting(DRIVEN, JUST_NOW),)}, Refusal.SECOND_PERSON_NEEDED),
        (
            {},
            {"gate": PAIRED, "waiting": (Waiting(replace(BOB, suspended=True), JUST_NOW),)},
            Refusal.SECOND_PERSON_NEEDED,
        ),
        (
            {},
            {"gate": PAIRED, "waiting": (Waiting(BOB, JUST_NOW),), "grants": (GRANT,)},
            Refusal.SECOND_PERSON_NEEDED,
        ),
        (
            {"subjects": (DRIVEN,)},
            {"gate": PAIRED, "waiting": (Waiting(BOB, JUST_NOW),), "grants": PAIR},
            Refusal.SECOND_PERSON_NEEDED,
        ),
        (
            {"subjects": (ADA, DRIVEN)},
            {"gate": PAIRED, "waiting": (Waiting(DRIVEN, JUST_NOW),), "grants": PAIR},
            Refusal.SECOND_PERSON_NEEDED,
        ),
        (
            {},
            {
                "gate": PAIRED,
                "waiting": (Waiting(BOB, JUST_NOW),),
                "grants": PAIR,
                "to_zone": FULL,
                "inside": 2,
            },
            Refusal.ZONE_FULL,
        ),
        ({"is_whole": False}, {}, Refusal.UNKNOWN),
        ({}, {"peers": (PEER_SILENT,)}, Refusal.INTERLOCKED),
        ({"seen_at": NOON - timedelta(hours=1)}, {"orders": frozenset({Verb.UNLOCK})}, Opening.UNLOCKED),
        ({"proven": FACE | {Factor.CARD}, "liveness_passed": None}, {"gate": FACE_OR_CARD}, Opening.GRANTED),
        ({"duress": True}, {}, Opening.GRANTED),
    ],
)
def test_a_way_in_opens_only_if_every_rule_lets_pass(
    facts: dict[str, Any], about: dict[str, Any], expected: Opening | Refusal
) -> None:
    assert because(seen(**facts), situation(**about)) == expected


@pytest.mark.parametrize(
    ("facts", "about", "expected"),
    [
        ({"subjects": (), "proven": frozenset()}, {}, Opening.EXIT),
        ({"subjects": (replace(ADA, suspended=True),)}, {"grants": ()}, Opening.EXIT),
        ({}, {"grants": (replace(GRANT, effect=Effect.DENY),)}, Opening.EXIT),
        ({}, {"orders": frozenset({Verb.LOCKDOWN})}, Opening.EXIT),
        ({}, {"orders": frozenset({Verb.LOCK})}, Opening.EXIT),
        ({"seen_at": NOON - timedelta(hours=1)}, {}, Opening.EXIT),
        ({"is_whole": False}, {}, Opening.EXIT),
        (
            {"seen_at": NOON - timedelta(hours=1)},
            {"orders": frozenset({Verb.EVACUATION, Verb.LOCKDOWN})},
            Opening.EVACUATION,
        ),
        ({}, {"peers": (PEER_OPEN,)}, Refusal.INTERLOCKED),
        ({}, {"peers": (PEER_HELD,)}, Opening.EXIT),
        ({}, {"peers": (PEER_SILENT,)}, Opening.EXIT),
        ({}, {"peers": (LONG_OPEN,)}, Opening.EXIT),
        ({}, {"peers": (PEER_OPEN,), "waits_since": NOON - timedelta(seconds=29)}, Refusal.INTERLOCKED),
        ({}, {"peers": (PEER_OPEN,), "waits_since": NOON - timedelta(seconds=30)}, Opening.EXIT),
        ({}, {"peers": (replace(PEER_OPEN, since=NOON + timedelta(hours=1)),)}, Opening.EXIT),
    ],
)
def test_a_way_out_is_refused_only_for_what_a_machine_must_not_do(
    facts: dict[str, Any], about: dict[str, Any], expected: Opening | Refusal
) -> None:
    assert because(seen(**facts), situation(EXIT, **about)) == expected


def test_a_soft_rule_opens_and_is_noted() -> None:
    about = situation(
        to_zone=replace(AREA, area_passback=Strictness.SOFT), whereabouts=Whereabouts(zone_id="zone_hall")
    )
    verdict = decide(seen(), about)
    assert isinstance(verdict, Open)
    assert verdict.noted == (Refusal.PASSED_BACK,)
    assert [str(kind) for kind in alarms_for(seen(), about, verdict)] == ["rule-broken"]
