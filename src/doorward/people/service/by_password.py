"""Deeds that take a password. It is hashed while no unit is open: gates need the database's one writer."""

from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

from doorward.people.model.staff import NewSession, SignInRefusal
from doorward.people.service import first, sessions, sign_in, staff
from doorward.people.service.passwords import Passwords
from doorward.platform.db import Unit
from doorward.vault.service import Vault


class Units(Protocol):
    """Opens units for whoever asks; a `platform.web.Call` does."""

    def unit(self) -> AbstractContextManager[Unit]:
        """One that writes."""

    def reading(self) -> AbstractContextManager[Unit]:
        """One that only reads."""


@dataclass(frozen=True, slots=True)
class Porter:
    """Takes passwords at the door."""

    units: Units
    vault: Vault
    passwords: Passwords

    def sign_in(
        self, *, login: str, password: str, code: str | None, address: str | None, device: str | None = None
    ) -> NewSession | SignInRefusal:
        """A session, or why not."""
        with self.units.reading() as unit:
            attempt = sign_in.begin_sign_in(unit, self.vault, login=login, address=address, device=device)
        if attempt.locked:
            return SignInRefusal.LOCKED
        right = self.passwords.verify(attempt.password_hash, password)
        with self.units.unit() as unit:
            return sign_in.finish_sign_in(unit, self.vault, attempt, password_right=right, code=code)

    def set_up_first(self, *, token: str, login: str, name: str, password: str) -> NewSession:
        """The first administrator's account and a session to enrol his second factor."""
        with self.units.reading() as unit:
            good = first.check_set_up(unit, self.vault, token=token, login=login, password=password)
        hashed = self.passwords.hash(good)
        with self.units.unit() as unit:
            return first.set_up_first(
                unit, self.vault, token=token, login=login, name=name, password_hash=hashed
            )

    def accept_invitation(self, *, token: str, password: str) -> NewSession:
        """A session to enrol a second factor, for whoever chose a password by a one-time link."""
        with self.units.reading() as unit:
            good = staff.check_acceptance(unit, self.vault, token=token, password=password)
        hashed = self.passwords.hash(good)
        with self.units.unit() as unit:
            return staff.accept_invitation(unit, self.vault, token=token, password_hash=hashed)

    def change_password(self, cookie: str | None, *, old: str, new: str) -> NewSession | None:
        """Another password and a fresh session, all others ended; None if the old one is wrong.

        That counts and ends the session, so that of guesses sent at once only the first to arrive counts.
        """
        with self.units.reading() as unit:
            _, account = sessions.get_session(unit, cookie)
            good = staff.good_password_for(unit, self.vault, account, new)
        right = self.passwords.verify(account.password_hash, old)
        hashed = self.passwords.hash(good) if right else None
        with self.units.unit() as unit:
            # Had another password been set meanwhile, this session would have ended with all others.
            session, _ = sessions.get_session(unit, cookie)
            if hashed is None:
                staff.note_wrong_old_password(unit, self.vault, session)
                return None
            return staff.change_password(unit, session, hashed)
