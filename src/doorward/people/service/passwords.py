"""Argon2id for staff passwords, with as much memory at once as the server can spare."""

import threading

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerifyMismatchError

from doorward.core.errors import Tampered, Unavailable
from doorward.people.rules.passwords import AT_MOST, one_form_of_password

NOBODYS_PASSWORD = "nobody ever chose this one"  # noqa: S105


class Passwords:
    """Hashes and checks, at most `at_once` at a time, since each takes `memory_kib`. Costs: RFC 9106, 4."""

    def __init__(
        self, *, time_cost: int = 3, memory_kib: int = 65536, at_once: int = 3, wait_seconds: float = 3
    ) -> None:
        self._hasher = PasswordHasher(time_cost=time_cost, memory_cost=memory_kib, parallelism=1)
        self._turn = threading.BoundedSemaphore(at_once)
        self._wait_seconds = wait_seconds
        self._nobodys = self._hasher.hash(NOBODYS_PASSWORD)

    def hash(self, password: str) -> str:
        """The salted hash to store; `Unavailable` when too many wait."""
        self._take_turn()
        try:
            return self._hasher.hash(one_form_of_password(password))
        finally:
            self._turn.release()

    def verify(self, stored: str | None, password: str) -> bool:
        """Whether this is the password; for nobody (`None`) the same work is done and the answer is no."""
        self._take_turn()
        try:
            right = self._hasher.verify(
                stored or self._nobodys, one_form_of_password(password[: AT_MOST * 2])
            )
        except VerifyMismatchError:
            return False
        except InvalidHashError as error:
            raise Tampered("A stored password hash does not have our form.") from error
        finally:
            self._turn.release()
        return right and stored is not None

    def _take_turn(self) -> None:
        if not self._turn.acquire(timeout=self._wait_seconds):
            raise Unavailable("Too many people sign in at once: try again in a moment.")
