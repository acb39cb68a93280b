import numpy as np

from doorward.vision.faces.rendering import render_person
from doorward.vision.quality import assess

PEOPLE = (0, 3, 28, 47)


def test_a_made_up_person_is_taken_for_a_face_good_enough_to_enrol() -> None:
    for person in PEOPLE:
        assert assess(render_person(person)).accepted


def test_a_made_up_person_is_alike_at_any_moment_and_unlike_the_others() -> None:
    seen = [[assess(render_person(p, moment=m)).observation for m in (1, 2)] for p in PEOPLE]
    templates = [[one.template for one in both if one is not None] for both in seen]
    for number, (first, second) in enumerate(templates):
        own = float(first @ second)
        others = [float(first @ other) for n, pair in enumerate(templates) if n != number for other in pair]
        assert own > 0.8 > max(others)


def test_the_same_person_and_moment_give_the_same_picture() -> None:
    first, second = render_person(3, moment=1), render_person(3, moment=1)
    assert np.array_equal(first, second)
    assert not np.array_equal(first, render_person(3, moment=2))


def test_a_picture_has_the_size_asked_for() -> None:
    assert render_person(3, size=(320, 240)).shape == (240, 320, 3)
