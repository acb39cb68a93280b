"""Challenges nobody can foretell."""

import secrets
from collections.abc import Collection

from doorward.core.errors import Invalid
from doorward.vision.liveness.model import Challenge, Step

TURNS = frozenset((Step.TURN_LEFT, Step.TURN_RIGHT))


def new_challenge(length: int = 3, *, among: Collection[Step] = tuple(Step)) -> Challenge:
    """Random steps, no two alike in a row, with a turn to either side: 8 orders of three steps, 20 of four.

    Both sides, because some pictures bent and turned far can feign one (docs/presentation-attacks.md). A site
    may leave blinks out by `among`, at the price of only two orders.
    """
    if length < 2 or not set(among) >= TURNS:
        raise Invalid("A challenge needs at least two steps, among them a turn of the head to either side.")
    while True:
        steps: list[Step] = []
        for _ in range(length):
            steps.append(secrets.choice([step for step in Step if step in among and step not in steps[-1:]]))
        if set(steps) >= TURNS:
            return Challenge(tuple(steps))
