from datetime import timedelta

import pytest
from sqlalchemy import LargeBinary, select

from doorward.core.permissions import EVERY_SITE, Permission
from doorward.people.model.approvals import Action
from doorward.people.model.staff import NewSession
from doorward.people.service import api_keys, approvals
from doorward.people.service.authentication import identify_caller
from doorward.people.service.moving import LOGIN, STAFF, TOKEN, staff_movers
from doorward.people.service.passwords import Passwords
from doorward.platform.db import Base, Database
from doorward.vault.model import KeyName
from doorward.vault.service import Vault, generation_of, rotate
from tests.conftest import SITE, SteppingClock
from tests.people.authenticator import Authenticator
from tests.people.staffroom import NOBODY, Staffroom, quick_passwords
from tests.people.test_staff_passkeys import ORIGIN, enrol


@pytest.fixture
def room(database: Database, vault: Vault, clock: SteppingClock) -> Staffroom:
    return Staffroom(database, vault, clock, quick_passwords())


def sealed_fields(room: Staffroom) -> list[bytes]:
    with room.database.reading(NOBODY, EVERY_SITE) as unit:
        columns = [
            column
            for table in Base.metadata.sorted_tables
            if table.name.startswith("staff_")
            for column in table.columns
            if column.name.startswith("sealed_")
        ]
        assert all(isinstance(column.type, LargeBinary) for column in columns)
        return [value for column in columns for value in unit.rows.execute(select(column)).scalars()]


@pytest.mark.parametrize("name", [STAFF, LOGIN, TOKEN], ids=str)
def test_staff_sign_in_and_programs_call_as_before_after_a_rotation(room: Staffroom, name: KeyName) -> None:
    admin, app = room.administrator()
    enrol(room, admin.id, Authenticator(ORIGIN))
    with room.database.unit(admin, SITE) as unit:
        rights = {SITE: frozenset({Permission.GATES_READ})}
        until = unit.now + timedelta(days=9)
        _, token = api_keys.make_api_key(unit, room.vault, label="x", rights=rights, expires_at=until)
        approvals.propose(unit, room.vault, Action.ERASE_MANY, {"persons": []}, "because")
    done = rotate(room.database, room.vault, name, staff_movers(room.vault))
    assert isinstance(room.sign_in("ada", code=room.code(app)), NewSession)
    with room.database.reading(NOBODY, EVERY_SITE) as unit:
        sent = {"cookie": None, "authorization": f"Bearer {token}", "address": None}
        assert identify_caller(unit, room.vault, **sent).actor.rights == rights
    if name == STAFF:
        fields = sealed_fields(room)
        assert done.moved == len(fields) == 7
        assert {generation_of(field) for field in fields} == {done.generation}


def test_the_real_cost_of_a_password_is_the_same_for_somebody_and_nobody() -> None:
    passwords = Passwords()
    stored = passwords.hash("violet kettle under seven maples")
    assert "$argon2id$v=19$m=65536,t=3,p=1$" in stored
    assert passwords.verify(stored, "violet kettle under seven maples")
    assert not passwords.verify(stored, "another")
    assert not passwords.verify(None, "nobody ever chose this one")
    assert not passwords.verify(stored, "x" * 5000)
