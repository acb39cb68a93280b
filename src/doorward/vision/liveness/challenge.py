"""Challenges nobody can foretell."""

import secrets

from doorward.core.errors import Invalid
from doorward.vision.liveness.model import Challenge, Step


def new_challenge(length: int = 3) -> Challenge:
    """Random steps, no two alike in a row: 3 * 2 ** (length - 1) orders, at least one of the steps a turn."""
    if length < 2:
        raise Invalid("A challenge needs at least two steps, so that one of them is a turn of the head.")
    steps: list[Step] = []
    for _ in range(length):
        steps.append(secrets.choice([step for step in Step if step not in steps[-1:]]))
    return Challenge(tuple(steps))
