"""Staff for tests: quick hashes, a first administrator, colleagues."""

from contextlib import AbstractContextManager
from dataclasses import dataclass
from urllib.parse import parse_qs, urlparse

import pyotp

from doorward.core.permissions import EVERY_SITE, Actor, system_actor
from doorward.people.model.roles import Role
from doorward.people.model.staff import NewSession, SignInRefusal
from doorward.people.service import factors, first, roles, sessions, staff
from doorward.people.service.authentication import staff_actor
from doorward.people.service.by_password import Porter
from doorward.people.service.passwords import Passwords
from doorward.platform.db import Database, Unit
from doorward.vault.service import Vault
from tests.conftest import SteppingClock

PASSWORD = "violet kettle under seven maples"
NOBODY = Actor("public")


@dataclass
class Staffroom:
    database: Database
    vault: Vault
    clock: SteppingClock
    passwords: Passwords

    @property
    def porter(self) -> Porter:
        return Porter(self, self.vault, self.passwords)

    def unit(self) -> AbstractContextManager[Unit]:
        return self.database.unit(NOBODY, EVERY_SITE)

    def reading(self) -> AbstractContextManager[Unit]:
        return self.database.reading(NOBODY, EVERY_SITE)

    def first_token(self) -> str | None:
        with self.database.unit(NOBODY, EVERY_SITE) as unit:
            return first.make_first_link(unit, self.vault)

    def set_up(self, login: str = "ada", token: str | None = None) -> NewSession:
        token = token or self.first_token() or ""
        return self.porter.set_up_first(token=token, login=login, name="A. Person", password=PASSWORD)

    def enrol_totp(self, account_id: str, login: str = "ada") -> pyotp.TOTP:
        with self.database.unit(NOBODY, EVERY_SITE) as unit:
            address = factors.begin_totp(unit, self.vault, account_id, login)
        app = pyotp.TOTP(parse_qs(urlparse(address).query)["secret"][0])
        with self.database.unit(NOBODY, EVERY_SITE) as unit:
            assert factors.confirm_totp(unit, self.vault, account_id, self.code(app))
        self.clock.advance(seconds=30)
        return app

    def code(self, app: pyotp.TOTP) -> str:
        return app.at(self.clock.now)

    def administrator(self, login: str = "ada") -> tuple[Actor, pyotp.TOTP]:
        account_id = self.set_up(login).session.account_id
        app = self.enrol_totp(account_id, login)
        return self.actor(account_id), app

    def colleague(self, boss: Actor, login: str, role: Role, site_id: str = EVERY_SITE) -> Actor:
        with self.database.unit(boss, site_id) as unit:
            made = staff.create_staff(unit, self.vault, login=login, name="B. Person", role=Role.GUARD)
            account_id, token = made
        self.porter.accept_invitation(token=token, password=PASSWORD)
        self.enrol_totp(account_id, login)
        if role is not Role.GUARD:
            with self.database.unit(system_actor("console"), site_id) as unit:
                roles.give_role(unit, account_id, role)
                roles.take_role(unit, account_id, Role.GUARD)
        return self.actor(account_id)

    def actor(self, account_id: str) -> Actor:
        with self.database.reading(NOBODY, EVERY_SITE) as unit:
            return staff_actor(unit, account_id)

    def sign_in(
        self, login: str, password: str = PASSWORD, code: str | None = None, address: str = "192.0.2.7"
    ) -> NewSession | SignInRefusal:
        return self.porter.sign_in(login=login, password=password, code=code, address=address)

    def is_live(self, cookie: str) -> bool:
        with self.database.reading(NOBODY, EVERY_SITE) as unit:
            return sessions.find_live_session(unit, cookie) is not None


def quick_passwords() -> Passwords:
    return Passwords(time_cost=1, memory_kib=8)
