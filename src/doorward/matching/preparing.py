"""Compiles every loop of the room, at install: the first search after it is as fast as any."""

from dataclasses import dataclass

from doorward.matching import blocks, matcher, opening, queries, randomness, ring
from doorward.matching.compiling import LOOPS

USERS = (blocks, matcher, opening, queries, randomness, ring)  # importing them is what lists their loops


@dataclass(frozen=True, slots=True)
class Compiled:
    """How many loops were found ready, and how many had to be compiled."""

    found: int
    made: int


def prepare() -> Compiled:
    """Have every loop compiled and kept; safe to repeat."""
    counts = [loop.load() for loop in LOOPS]
    return Compiled(found=sum(found for found, _ in counts), made=sum(made for _, made in counts))
