import pytest

from doorward.people.rules import odd_ones_out


@pytest.mark.parametrize(
    ("likeness", "odd"),
    [
        ([], set()),
        ([[1.0]], set()),
        ([[1.0, 0.1], [0.1, 1.0]], {0, 1}),
        ([[1.0, 0.9], [0.9, 1.0]], set()),
        ([[1.0, 0.9, 0.1], [0.9, 1.0, 0.1], [0.1, 0.1, 1.0]], {2}),
    ],
)
def test_photos_that_agree_with_nobody_are_odd(likeness: list[list[float]], odd: set[int]) -> None:
    assert odd_ones_out(likeness, 0.5) == odd
