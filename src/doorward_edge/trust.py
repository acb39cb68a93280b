"""Which keys of the server count, and how a new one comes to count."""

import threading
from collections.abc import Callable, Iterable, Sequence

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from doorward.core.errors import DoorwardError, Invalid, Tampered, Unavailable
from doorward.core.wire import Handover, Signed, open_message, successor_of
from doorward.core.wire.codecs import M
from doorward_edge.ports import Clock
from doorward_edge.state import AgentState

AGAIN_SECONDS = 5.0


class Trust:
    """The pinned keys of the agent's file, and those that they handed over to.

    A message by an unknown key makes the agent ask once who that may be. It believes only a `Handover` that a
    key signed which counts now: a key that was followed counts no more, and can neither sign permits nor hand
    over again.
    """

    def __init__(self, pinned: Iterable[Ed25519PublicKey], state: AgentState, clock: Clock) -> None:
        self._pinned = tuple(key.public_bytes_raw() for key in pinned)
        if not self._pinned:
            raise Invalid("An agent needs at least one key of its server.")
        self._state = state
        self._clock = clock
        self._next_look = float("-inf")
        self._learning = threading.Lock()
        self._keys = self._trusted()

    def _trusted(self) -> tuple[Ed25519PublicKey, ...]:
        try:
            raw = self._state.known_keys.trusted(self._pinned)
        except (Unavailable, Tampered):
            raw = self._pinned
        return tuple(Ed25519PublicKey.from_public_bytes(one) for one in raw)

    def open(self, shape: type[M], message: Signed, introduce: Callable[[], Sequence[Signed]]) -> M:
        """Verify, then read; `Tampered` if no key that counts signed it, even after asking for handovers."""
        found = self._opened(shape, message)
        if found is None:
            # One thread asks; the others wait for what it learns.
            with self._learning:
                found = self._opened(shape, message)
                if found is None and self._may_look():
                    self._learn(introduce)
                    found = self._opened(shape, message)
        if found is None:
            raise Tampered("No key of the server's that is known here signed this.")
        return found

    def _opened(self, shape: type[M], message: Signed) -> M | None:
        for key in self._keys:
            try:
                return open_message(key, shape, message)
            except Tampered:
                continue
        return None

    def _may_look(self) -> bool:
        now = self._clock.monotonic()
        if now < self._next_look:
            return False
        self._next_look = now + AGAIN_SECONDS
        return True

    def _learn(self, introduce: Callable[[], Sequence[Signed]]) -> None:
        try:
            offered = introduce()
        except DoorwardError:
            return
        # A key that signs now may be several turns away: each introduces the next.
        for _ in offered:
            for signed in offered:
                self._follow(signed)

    def _follow(self, signed: Signed) -> None:
        for key in self._keys:
            try:
                handover = open_message(key, Handover, signed)
                successor_of(handover)
            except DoorwardError:
                continue
            if handover.before == key.public_bytes_raw():
                self._state.known_keys.follow(handover.before, handover.after)
                self._keys = self._trusted()
            return
