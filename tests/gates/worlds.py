"""Gates, people and moments made up for rule tests."""

from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import strategies as st

from doorward.gates.model import (
    EVERY_GATE,
    Direction,
    DoorStatus,
    Effect,
    Factor,
    Gate,
    Grant,
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

NOON = datetime(2030, 1, 7, 12, tzinfo=UTC)
ADA = Subject(id="person_ada", group_ids=frozenset({"group_staff"}))
BOB = Subject(id="person_bob")
GATE = Gate(id="gate_front", name="Front", to_zone_id="zone_hall")
EXIT = Gate(id="gate_exit", name="Exit", direction=Direction.OUT, from_zone_id="zone_hall")
GRANT = Grant(id="grant_1", holder_id=ADA.id)
CARD_AND_PIN = frozenset({Factor.CARD, Factor.PIN})


def seen(**changes: Any) -> Seen:
    facts: dict[str, Any] = {
        "seen_at": NOON,
        "received_at": NOON,
        "proven": CARD_AND_PIN,
        "subjects": (ADA,),
    }
    return Seen(**(facts | changes))


def situation(gate: Gate = GATE, **changes: Any) -> Situation:
    facts: dict[str, Any] = {
        "gate": gate,
        "target_ids": frozenset({gate.id, EVERY_GATE}),
        "grants": (GRANT,),
        "to_zone": Zone(id="zone_hall", name="Hall") if gate.to_zone_id else None,
    }
    return Situation(**(facts | changes))


moments = st.one_of(
    st.none(), st.integers(-7200, 7200).map(lambda seconds: NOON + timedelta(seconds=seconds))
)
strictness = st.sampled_from(Strictness)
groups = st.frozensets(st.sampled_from(["group_staff", "group_night"]), max_size=2)
subjects = st.builds(
    Subject,
    id=st.sampled_from(["person_ada", "person_bob", "vehicle_red"]),
    kind=st.sampled_from(["person", "person", "vehicle"]),
    valid_from=moments,
    valid_until=moments,
    suspended=st.booleans(),
    group_ids=groups,
    passback_exempt=st.booleans(),
)
grants = st.builds(
    Grant,
    id=st.just("grant_x"),
    holder_id=st.sampled_from(["person_ada", "person_bob", "vehicle_red", "group_staff"]),
    target_id=st.sampled_from(["gate_front", "gate_other", EVERY_GATE, "level_all"]),
    effect=st.sampled_from(Effect),
    schedule_id=st.sampled_from([None, None, "schedule_gone"]),
    valid_from=moments,
    valid_until=moments,
)
factor_rules = st.lists(
    st.lists(
        st.sampled_from([Factor.FACE, Factor.CARD, Factor.QR, Factor.PLATE]), min_size=1, max_size=3
    ).map(tuple),
    min_size=1,
    max_size=3,
).map(tuple)
zones = st.builds(
    Zone,
    id=st.just("zone_hall"),
    name=st.just("Hall"),
    area_passback=strictness,
    timed_passback=strictness,
    timed_passback_seconds=st.integers(0, 3600),
    presence_timeout_seconds=st.one_of(st.none(), st.integers(1, 7200)),
    capacity=st.one_of(st.none(), st.integers(0, 5)),
    capacity_rule=strictness,
)


def gates(direction: Direction | None = None) -> st.SearchStrategy[Gate]:
    return st.builds(
        Gate,
        id=st.just("gate_front"),
        name=st.just("Front"),
        direction=st.just(direction) if direction else st.sampled_from(Direction),
        factors=factor_rules,
        door_passback=strictness,
        door_passback_seconds=st.integers(0, 3600),
        two_person_seconds=st.one_of(st.none(), st.integers(1, 60)),
        enabled=st.booleans(),
    )


whereabouts = st.builds(
    Whereabouts,
    zone_id=st.sampled_from([None, "zone_hall", "zone_yard"]),
    since=moments,
    through_door_at=moments,
    into_zone_at=moments,
    forgiven=st.booleans(),
)
peers = st.builds(
    Peer,
    door_id=st.just("door_2"),
    status=st.sampled_from(DoorStatus),
    is_known=st.booleans(),
    since=moments,
)
sightings = st.builds(
    Seen,
    seen_at=moments.map(lambda at: at or NOON),
    received_at=st.just(NOON),
    proven=st.frozensets(st.sampled_from(Factor)),
    subjects=st.lists(subjects, max_size=2).map(tuple),
    doubt=st.sampled_from([None, None, Refusal.FACE_MISMATCH, Refusal.PIN_WRONG, Refusal.IDENTITIES_DIFFER]),
    liveness_passed=st.sampled_from([None, True, False]),
    duress=st.booleans(),
    is_whole=st.sampled_from([True, True, False]),
)


def situations(direction: Direction | None = None) -> st.SearchStrategy[Situation]:
    return st.builds(
        Situation,
        gate=gates(direction),
        target_ids=st.just(frozenset({"gate_front", EVERY_GATE, "level_all"})),
        orders=st.frozensets(st.sampled_from(Verb)),
        to_zone=st.one_of(st.none(), zones),
        from_zone=st.one_of(st.none(), zones),
        waits_since=moments,
        grants=st.lists(grants, max_size=4).map(tuple),
        whereabouts=st.one_of(st.none(), whereabouts),
        inside=st.integers(0, 7),
        peers=st.lists(peers, max_size=2).map(tuple),
        waiting=st.lists(
            st.builds(
                Waiting,
                subject=subjects,
                since=moments.map(lambda at: at or NOON),
            ),
            max_size=2,
        ).map(tuple),
    )
