"""No password is hashed while somebody holds the database's one writer, which gates need."""

from collections.abc import Callable
from typing import Any

import pyotp
import pytest
from sqlalchemy import text

from doorward.core.errors import Denied, Invalid, Unauthenticated
from doorward.core.permissions import EVERY_SITE
from doorward.people.model.roles import Role
from doorward.people.model.staff import NewSession, SignInRefusal
from doorward.people.service.passwords import Passwords
from doorward.platform.db import Database
from doorward.vault.service import Vault
from tests.conftest import SteppingClock
from tests.people.staffroom import NOBODY, PASSWORD, Staffroom

BETTER = "nine birches by the lake"


class Interrupted(Passwords):
    """Whenever it hashes or checks, somebody else writes."""

    def __init__(self, deed: Callable[[], None]) -> None:
        super().__init__(time_cost=1, memory_kib=8)
        self.deed = deed
        self.asked: list[str] = []

    def hash(self, password: str) -> str:
        self.asked.append("hash")
        self.deed()
        return super().hash(password)

    def verify(self, stored: str | None, password: str) -> bool:
        self.asked.append("verify")
        self.deed()
        return super().verify(stored, password)


@pytest.fixture
def passwords(database: Database) -> Interrupted:
    def write() -> None:
        # In this very thread, so that it could never get its turn while a unit that writes is open.
        with database.unit(NOBODY, EVERY_SITE) as unit:
            unit.rows.execute(text("DELETE FROM staff_spent_challenges"))

    return Interrupted(write)


@pytest.fixture
def room(database: Database, vault: Vault, clock: SteppingClock, passwords: Passwords) -> Staffroom:
    return Staffroom(database, vault, clock, passwords)


def sign_in(room: Staffroom, app: pyotp.TOTP) -> str:
    room.clock.advance(seconds=30)  # each code counts once
    made = room.sign_in("ada", code=room.code(app))
    assert isinstance(made, NewSession)
    return made.cookie


def test_the_writer_is_free_while_anybody_chooses_or_proves_a_password(
    room: Staffroom, passwords: Interrupted
) -> None:
    admin, app = room.administrator()
    room.colleague(admin, "gus", Role.GUARD)
    assert room.porter.change_password(sign_in(room, app), old=PASSWORD, new=BETTER) is not None
    assert passwords.asked == ["hash", "hash", "verify", "verify", "hash"]


def test_a_link_that_is_void_or_a_password_that_is_bad_costs_no_hash(
    room: Staffroom, passwords: Interrupted
) -> None:
    token = room.first_token() or ""
    said: dict[str, Any] = {"login": "ada", "name": "A. Person"}
    with pytest.raises(Denied):
        room.porter.set_up_first(token="none of ours", password=PASSWORD, **said)
    with pytest.raises(Denied):
        room.porter.accept_invitation(token=token, password=PASSWORD)
    with pytest.raises(Invalid):
        room.porter.set_up_first(token=token, password="password password", **said)
    assert passwords.asked == []
    room.porter.set_up_first(token=token, password=PASSWORD, **said)


def test_a_link_voided_while_its_password_is_hashed_leads_nowhere(
    room: Staffroom, passwords: Interrupted
) -> None:
    token = room.first_token() or ""
    passwords.deed = room.first_token  # type: ignore[assignment]
    with pytest.raises(Denied):
        room.porter.set_up_first(token=token, login="ada", name="A. Person", password=PASSWORD)
    assert room.sign_in("ada") is SignInRefusal.WRONG


def test_a_session_that_ends_while_the_old_password_is_checked_changes_nothing(
    room: Staffroom, passwords: Interrupted
) -> None:
    _, app = room.administrator()
    cookie = sign_in(room, app)
    still = passwords.deed

    def elsewhere() -> None:
        passwords.deed = still
        assert room.porter.change_password(cookie, old="a guess", new=BETTER) is None

    passwords.deed = elsewhere
    with pytest.raises(Unauthenticated):
        room.porter.change_password(cookie, old=PASSWORD, new=BETTER)
    assert sign_in(room, app)
