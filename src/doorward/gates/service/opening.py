"""Putting the post together from what the house has opened."""

from typing import Protocol

from doorward.core.keys import ServerKeys
from doorward.gates.service.known import Known
from doorward.gates.service.post import Post
from doorward.people.service.recogniser import Recogniser


class Numbers(Protocol):
    """The section of the settings that concerns gates."""

    @property
    def permit_seconds(self) -> int: ...
    @property
    def clock_tolerance_seconds(self) -> int: ...


def open_post(recogniser: Recogniser, keys: ServerKeys, numbers: Numbers) -> Post:
    """The post of this process: identifies through the people room, signs with the server's keys."""
    return Post(
        identifier=Known(recogniser),
        keys=keys,
        permit_seconds=numbers.permit_seconds,
        clock_tolerance_seconds=numbers.clock_tolerance_seconds,
    )
