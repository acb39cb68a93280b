from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorward.core.wire import Credential, Direction, Mode, OfflinePolicy, PlateEvidence, Window
from doorward_edge.alone import Alone, Because, PolicyBook, decide_alone
from doorward_edge.passage import Seen
from tests.edge.world import CARD, NOON, FakeServer

POLICY = FakeServer(now=lambda: NOON).policy()
SHOWN = {Credential.CARD: CARD}


def decide(policy: OfflinePolicy, shown: dict[Credential, str], now: datetime = NOON) -> Alone:
    return decide_alone(PolicyBook(policy), shown, direction=Direction.IN, now=now, doubtful=False)


@pytest.mark.parametrize(
    ("policy", "because"),
    [
        (POLICY, None),
        (replace(POLICY, expires_at=NOON), Because.EXPIRED),
        (replace(POLICY, not_before=NOON + timedelta(seconds=1)), Because.EXPIRED),
        (replace(POLICY, mode=Mode.LOCKDOWN), Because.LOCKDOWN),
        (replace(POLICY, entries=()), Because.UNKNOWN),
        (replace(POLICY, schedules=()), Because.HOURS),
        (replace(POLICY, schedules=((),)), Because.HOURS),
        (replace(POLICY, schedules=((Window(opens=NOON - timedelta(1), closes=NOON),),)), Because.HOURS),
        (replace(POLICY, hash_key=bytes(32)), Because.UNKNOWN),
        (replace(POLICY, mode=Mode.EVACUATION, expires_at=NOON), Because.EXPIRED),
        (replace(POLICY, mode=Mode.EVACUATION, entries=()), Because.UNKNOWN),
    ],
)
def test_the_policy_must_say_yes_in_every_respect(policy: OfflinePolicy, because: str | None) -> None:
    decision = decide(policy, SHOWN)
    assert (decision.opens, decision.because) == (because is None, because)


def test_a_way_out_tells_who_left_even_by_a_policy_that_has_ended() -> None:
    for policy in (POLICY, replace(POLICY, expires_at=NOON), replace(POLICY, schedules=())):
        book = PolicyBook(policy)
        left = decide_alone(book, SHOWN, direction=Direction.OUT, now=NOON, doubtful=True)
        assert (left.opens, left.subject_id) == (True, POLICY.entries[0].subject_id)
    stranger = {Credential.CARD: "nobody's"}
    book = PolicyBook(POLICY)
    assert decide_alone(book, stranger, direction=Direction.OUT, now=NOON, doubtful=True).subject_id is None


@pytest.mark.parametrize(("frames", "sure", "counts"), [(6, 0.8, True), (5, 0.8, False), (6, 0.79, False)])
def test_a_plate_counts_only_if_it_was_read_as_well_as_the_gate_asks(
    frames: int, sure: float, counts: bool
) -> None:
    book = PolicyBook(replace(POLICY, least_frames=6, least_character_confidence=0.8))
    read = PlateEvidence(candidates=(("AB123C", 0.9),), minimum_character_confidence=sure, frames=frames)
    shown = book.usable(Seen(plate=read))
    assert (Credential.PLATE in shown, decide(book.policy, shown).opens) == (counts, counts)


@given(
    card=st.text(max_size=40),
    mode=st.sampled_from(Mode),
    offset=st.integers(-100_000, 100_000),
    doubtful=st.booleans(),
    has_policy=st.booleans(),
)
def test_what_is_not_listed_opens_an_entry_only_in_an_evacuation(
    card: str, mode: Mode, offset: int, doubtful: bool, has_policy: bool
) -> None:
    book = PolicyBook(replace(POLICY, mode=mode)) if has_policy else None
    now = NOON + timedelta(seconds=offset)
    shown = {Credential.QR: card}
    inward = decide_alone(book, shown, direction=Direction.IN, now=now, doubtful=doubtful)
    assert not inward.opens
    everybody = decide_alone(
        book, shown, direction=Direction.IN, now=now, doubtful=doubtful, open_to_all=True
    )
    assert everybody.opens
    assert decide_alone(book, shown, direction=Direction.OUT, now=now, doubtful=doubtful).opens
