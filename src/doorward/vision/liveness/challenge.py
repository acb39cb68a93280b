"""Challenges nobody can foretell."""

import secrets
from collections.abc import Collection

from doorward.core.errors import Invalid
from doorward.vision.liveness.model import Challenge, Step


def new_challenge(length: int = 3, *, among: Collection[Step] = tuple(Step)) -> Challenge:
    """Random steps, no two alike in a row, so at least one is a turn: 3 * 2 ** (length - 1) orders.

    A site may leave steps out by `among`, at the price of fewer orders to guess.
    """
    if length < 2 or len(set(among)) < 2:
        raise Invalid("A challenge needs at least two steps of two kinds, so that one is a turn of the head.")
    steps: list[Step] = []
    for _ in range(length):
        steps.append(secrets.choice([step for step in Step if step in among and step not in steps[-1:]]))
    return Challenge(tuple(steps))
