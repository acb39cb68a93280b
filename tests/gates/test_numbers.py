"""What a number is good for: one message of one agent, once."""

from doorward.gates.model import Verb
from tests.conftest import SteppingClock
from tests.gates.journals import Journal
from tests.gates.scene import Scene


def test_an_agent_that_forgot_its_numbers_gets_nobody_elses_permit(scene: Scene) -> None:
    assert scene.card(sequence=70).opens
    stranger = scene.card("nobody", sequence=70)
    friend = scene.card("bob", sequence=70)
    assert (stranger.opens, stranger.because) == (False, "number-used")
    assert (friend.opens, friend.because) == (False, "number-used")
    assert scene.alarms() == ["number-reused"]
    assert len(scene.states()) == 1


def test_it_is_told_the_highest_number_held_and_goes_on_above(scene: Scene) -> None:
    scene.card(sequence=70)
    scene.card(sequence=90)
    refused = scene.card("bob", sequence=70)
    assert refused.highest == 90
    assert scene.ask_the_time().next_sequence == 91
    assert scene.card("bob", sequence=91).opens


def test_the_same_message_gets_the_same_answer_and_no_number_to_go_on_from(scene: Scene) -> None:
    signed = scene.sighting(card="card-ada")
    first = scene.admit(signed)
    assert scene.admit(signed) == first
    assert first.highest is None


def test_a_way_out_is_decided_anew_under_a_number_used_before(scene: Scene) -> None:
    scene.card(sequence=70)
    scene.card(sequence=71)
    out = scene.card(gate_id="gate_out", sequence=70)
    assert (out.opens, out.sequence) == (True, 70)
    assert scene.inside() == []
    assert scene.alarms() == ["number-reused"]
    scene.report(out)
    assert [state for state, _ in scene.states()].count("opened") == 1


def test_whoever_leaves_late_is_let_out_again(scene: Scene, clock: SteppingClock) -> None:
    signed = scene.sighting("gate_out", card="card-ada")
    assert scene.admit(signed).opens
    clock.advance(seconds=6)
    again = scene.admit(signed)
    assert again.opens
    assert again.because == "exit"


def test_no_clock_locks_anybody_in(scene: Scene, clock: SteppingClock) -> None:
    for minutes in (-10, 10):
        clock.advance(minutes=minutes)
        seen_at = clock.now
        clock.advance(minutes=-minutes)
        assert scene.card(gate_id="gate_out", seen_at=seen_at).opens
        assert scene.card(seen_at=seen_at).because == "stale"
    assert scene.alarms() == []


def test_what_staff_unlocked_opens_to_an_old_message_too(scene: Scene, clock: SteppingClock) -> None:
    scene.order(Verb.UNLOCK)
    seen_at = clock.now
    clock.advance(minutes=10)
    assert scene.card("nobody", seen_at=seen_at).because == "unlocked"


def test_a_journal_under_numbers_used_before_is_still_taken_over(scene: Scene) -> None:
    scene.card("bob", sequence=2)
    journal = Journal(scene)
    journal.opened()
    journal.replay()
    assert scene.inside() == ["person_ada", "person_bob"]
    assert scene.alarms() == ["number-reused"]
