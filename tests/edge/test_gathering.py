import threading

import numpy as np
import pytest

from doorward_edge.inbox import Inbox
from doorward_edge.passage import FaceSeen, Gathering, Seen

FACE = Seen(face=FaceSeen(template=np.zeros(128, np.float32), frames=4, quality=12.0), frames=4)


GATHER = [
    ([(Seen(card="a"), 0.0)], 0.0, None),
    ([(Seen(card="a"), 0.0)], 6.0, ("card",)),
    ([(Seen(card="a"), 0.0), (FACE, 5.0)], 5.0, ("face", "card")),
    ([(FACE, 0.0), (Seen(card="a"), 5.0)], 5.0, ("face", "card")),
    ([(FACE, 0.0), (FACE, 1.0)], 1.0, None),
]


@pytest.mark.parametrize(("parts", "now", "kinds"), GATHER)
def test_what_belongs_together_is_gathered(
    parts: list[tuple[Seen, float]], now: float, kinds: tuple[str, ...] | None
) -> None:
    gathering = Gathering([frozenset({"card", "face"})], seconds=6.0)
    for part, at in parts:
        assert gathering.add(part, at) is None
    due = gathering.due(now)
    assert (due.kinds if due else None) == kinds


def test_what_one_person_left_unfinished_is_not_given_to_the_next() -> None:
    gathering = Gathering([frozenset({"card", "face"})], seconds=6.0)
    gathering.add(Seen(card="first"), 0.0)
    over = gathering.add(FACE, 7.0)
    assert over
    assert over.kinds == ("card",)
    assert gathering.due(7.0) is None


def test_a_second_card_does_not_silently_replace_the_first() -> None:
    gathering = Gathering([frozenset({"card", "face"})], seconds=6.0)
    gathering.add(Seen(card="first"), 0.0)
    over = gathering.add(Seen(card="second"), 1.0)
    assert over
    assert over.card == "first"
    assert gathering.add(FACE, 2.0) is None
    due = gathering.due(2.0)
    assert due
    assert due.card == "second"


def test_a_passage_is_complete_with_the_first_alternative_that_is() -> None:
    gathering = Gathering([frozenset({"card", "pin"}), frozenset({"face"})], seconds=6.0)
    gathering.add(Seen(card="a"), 0.0)
    assert gathering.due(1.0) is None
    assert gathering.lacks in (frozenset({"pin"}), frozenset({"face"}))
    gathering.add(FACE, 1.0)
    due = gathering.due(1.0)
    assert due
    assert due.kinds == ("face", "card")


def test_a_card_waits_for_the_challenge_of_whoever_showed_it_but_not_for_ever() -> None:
    gathering = Gathering([frozenset({"card", "face"})], seconds=6.0, longest=30.0)
    gathering.add(Seen(card="a"), 0.0)
    for second in range(30):
        gathering.wait(float(second))
        assert gathering.due(float(second)) is None
    gathering.wait(29.9)
    assert gathering.due(30.0)


def test_card_and_pin_wait_for_no_challenge_of_whoever_stands_there() -> None:
    gathering = Gathering([frozenset({"card", "pin"}), frozenset({"face"})], seconds=6.0, longest=30.0)
    gathering.wait(0.0)
    gathering.add(Seen(card="a"), 0.5)
    gathering.wait(1.0)
    gathering.add(Seen(pin="2468"), 1.5)
    gathering.wait(1.6)
    due = gathering.due(1.6)
    assert due
    assert due.kinds == ("card", "pin")


def test_a_full_inbox_gives_up_the_oldest_and_counts() -> None:
    inbox: Inbox[int] = Inbox(waits=False, most=3)
    for number in range(5):
        inbox.put(number)
    assert [inbox.get(timeout=0) for _ in range(4)] == [2, 3, 4, None]
    assert inbox.dropped == 2


def test_a_recorded_source_waits_instead_of_losing_anybody() -> None:
    inbox: Inbox[int] = Inbox(waits=True, most=1)

    def write() -> None:
        for number in range(50):
            inbox.put(number)

    writer = threading.Thread(target=write)
    writer.start()
    assert [inbox.get(timeout=10) for _ in range(50)] == list(range(50))
    writer.join()
    assert inbox.dropped == 0
