"""How many frames a second the machine can afford, from what they cost."""

from typing import Final

LEAST_PER_SECOND: Final = 2.0
MEMORY: Final = 0.8  # weight of what frames cost before; one slow frame must not halve the rate


class FrameBudget:
    """Chooses a rate so that looking at frames takes at most `share` of one core.

    `adapts` False keeps `most_per_second`, so that the same file gives the same answer on any machine.
    """

    def __init__(self, *, most_per_second: float = 12.0, share: float = 0.8, adapts: bool = True) -> None:
        self._most = most_per_second
        self._share = share
        self._adapts = adapts
        self._cost = 0.0
        self._next_due = float("-inf")
        self.passed_over = 0

    @property
    def per_second(self) -> float:
        """The rate chosen now."""
        if not self._adapts or self._cost <= 0:
            return self._most
        return max(LEAST_PER_SECOND, min(self._most, self._share / self._cost))

    def wants(self, at_seconds: float) -> bool:
        """Whether to look at a frame taken at this second of its source's clock."""
        # Sources that start again (a camera that came back) begin at zero.
        if at_seconds + 0.001 < self._next_due < at_seconds + 10:
            self.passed_over += 1
            return False
        interval = 1.0 / self.per_second
        self._next_due = max(at_seconds, min(self._next_due, at_seconds) + interval)
        return True

    def spent(self, seconds: float) -> None:
        """What the last frame cost."""
        self._cost = seconds if self._cost <= 0 else MEMORY * self._cost + (1 - MEMORY) * seconds
