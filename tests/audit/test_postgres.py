import threading

import pytest
from sqlalchemy import Engine, text

from doorward.audit.model import Segment
from doorward.audit.service import expire_segment, ledger_of, record, sign_head, verify
from doorward.core.permissions import EVERY_SITE
from doorward.platform.db import Database
from doorward.vault.model import Place
from doorward.vault.service import (
    Vault,
    erase_subject,
    make_subject_key,
    ratchet,
    seal_for,
    unseal_for,
)

from ..conftest import GUARD, SITE, SteppingClock

HERE = Place("people", "name", "person_2")


@pytest.fixture
def grown_database(grown_engine: Engine, clock: SteppingClock) -> Database:
    return Database(grown_engine, clock)


def test_many_writers_share_one_log_without_a_lost_or_doubled_position(
    grown_database: Database, vault: Vault
) -> None:
    failures: list[BaseException] = []

    def write() -> None:
        try:
            for number in range(25):
                with grown_database.unit(GUARD, SITE) as unit:
                    record(unit, "thing.done", subject_id="person_1", number=number)
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=write) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    with grown_database.unit(GUARD, SITE) as unit:
        sign_head(unit, vault.audit_signer())
        assert expire_segment(unit, Segment(0, 9)) == 10
        assert len(ledger_of(unit, "person_1").entries) == 90
    with grown_database.reading(GUARD, EVERY_SITE) as unit:
        found = verify(unit, vault.audit_keys())
    assert (found.size, found.expired) == (102, 10)


def test_the_vault_works_on_a_grown_database(grown_database: Database, vault: Vault) -> None:
    with grown_database.unit(GUARD, SITE) as unit:
        for subject in ("person_1", "person_2"):
            make_subject_key(unit, vault, subject)
        sealed = seal_for(unit, vault, "person_2", HERE, b"Ada")
    with grown_database.unit(GUARD, SITE) as unit:
        erase_subject(unit, vault, "person_1")
    assert ratchet(grown_database, vault).moved == 1
    with grown_database.unit(GUARD, SITE) as unit:
        assert unseal_for(unit, vault, "person_2", HERE, sealed) == b"Ada"
        assert unit.rows.scalar(text("SELECT count(*) FROM vault_subject_keys")) == 1
