import pytest

from doorward.core.errors import Conflict, NotFound, Tampered
from doorward.platform.db import Database
from doorward.vault.model import Place, Purpose
from doorward.vault.service import (
    Vault,
    make_subject_key,
    open_key,
    open_keys,
    seal_for,
    subject_keys,
    unseal_for,
)

from ..conftest import GUARD, SITE

HERE = Place("people", "name", "person_1")


def test_what_is_sealed_opens_at_its_place_only(vault: Vault) -> None:
    sealed = vault.seal(Purpose.STAFF, HERE, b"secret")
    assert b"secret" not in sealed
    assert vault.unseal(Purpose.STAFF, HERE, sealed) == b"secret"
    for place in (
        Place("people", "name", "person_2"),
        Place("people", "x", "person_1"),
        Place("p", "name", "person_1"),
    ):
        with pytest.raises(Tampered):
            vault.unseal(Purpose.STAFF, place, sealed)
    with pytest.raises(Tampered):
        vault.unseal(Purpose.GATES, HERE, sealed)


def test_every_flipped_bit_of_a_sealed_field_is_found(vault: Vault) -> None:
    sealed = vault.seal(Purpose.STAFF, HERE, b"x")
    for bit in range(len(sealed) * 8):
        broken = bytearray(sealed)
        broken[bit // 8] ^= 1 << bit % 8
        with pytest.raises(Tampered):
            vault.unseal(Purpose.STAFF, HERE, bytes(broken))
    for length in range(len(sealed)):
        with pytest.raises(Tampered):
            vault.unseal(Purpose.STAFF, HERE, sealed[:length])


def test_a_look_up_hash_is_stable_and_joins_no_other_purpose(vault: Vault) -> None:
    plate = vault.blind(Purpose.BLIND_PLATE, "A12345")
    assert plate == vault.blind(Purpose.BLIND_PLATE, "A12345")
    assert vault.blinds(Purpose.BLIND_PLATE, "A12345") == [plate]
    assert len({plate, vault.blind(Purpose.BLIND_CARD, "A12345"), vault.blind(Purpose.BLIND_PLATE, "A")}) == 3
    assert len(plate) == 32


def test_each_subject_has_a_key_of_its_own(vault: Vault, database: Database) -> None:
    with database.unit(GUARD, SITE) as unit:
        make_subject_key(unit, vault, "person_1")
        make_subject_key(unit, vault, "vehicle_1")
        sealed = seal_for(unit, vault, "person_1", HERE, b"Ada")
        assert unseal_for(unit, vault, "person_1", HERE, sealed) == b"Ada"
        with pytest.raises(Tampered):
            unseal_for(unit, vault, "vehicle_1", HERE, sealed)
        with pytest.raises(Tampered):
            open_key(unit, vault, "person_1").unseal(HERE, b"\x07" + sealed[1:])
        assert set(open_keys(unit, vault, ["person_1", "person_9"])) == {"person_1"}
        assert {key.subject_id for key in subject_keys(unit, vault)} == {"person_1", "vehicle_1"}
        assert "cipher" not in repr(open_key(unit, vault, "person_1"))
        with pytest.raises(Conflict):
            make_subject_key(unit, vault, "person_1")
    with database.unit(GUARD, "site_other") as unit, pytest.raises(NotFound):
        open_key(unit, vault, "person_1")


def test_stored_answers_open_only_for_their_row(vault: Vault) -> None:
    sealed = vault.seal_answer("row", b"{}")
    assert vault.unseal_answer("row", sealed) == b"{}"
    with pytest.raises(Tampered):
        vault.unseal_answer("other", sealed)
