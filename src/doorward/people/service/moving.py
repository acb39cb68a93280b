"""Moving what staff left under an old key to the newest one, while Doorward runs."""

from collections.abc import Callable, Iterator
from itertools import islice

from doorward.people.service.api_keys import label_place
from doorward.people.service.approvals import reason_place
from doorward.people.service.authentication import digest_place
from doorward.people.service.factors import passkey_label_place, totp_place
from doorward.people.service.staff import login_of, place
from doorward.people.store import api_keys as key_store
from doorward.people.store import approvals as approval_store
from doorward.people.store import factors as factor_store
from doorward.people.store import staff as staff_store
from doorward.platform.db import Rows, Unit
from doorward.vault.model import KeyName, Place, Purpose, Use
from doorward.vault.service import Counter, Mover, Vault, generation_of

Keep = Callable[[bytes], None]
Field = tuple[Place, bytes, Keep]

STAFF = KeyName(Use.SEAL, Purpose.STAFF)
LOGIN = KeyName(Use.BLIND, Purpose.BLIND_LOGIN)
TOKEN = KeyName(Use.BLIND, Purpose.BLIND_TOKEN)


def staff_movers(vault: Vault) -> dict[KeyName, tuple[Mover, ...]]:
    """Movers for `vault.service.rotate`. One-time links and locks end when tokens rotate."""
    return {
        STAFF: (lambda unit, limit: _reseal(unit, vault, limit),),
        LOGIN: (lambda unit, limit: _reblind(unit, vault, limit),),
        TOKEN: (),
    }


def staff_counters(vault: Vault) -> dict[KeyName, Counter]:
    """How many fields and logins still lie under older keys."""
    return {
        STAFF: lambda unit: len(_old_fields(unit, vault)),
        LOGIN: lambda unit: sum(1 for _ in _old_logins(unit, vault)),
    }


def _old_fields(unit: Unit, vault: Vault) -> list[Field]:
    newest = vault.newest(STAFF)
    return [field for field in _fields(unit.rows) if generation_of(field[1]) != newest]


def _reseal(unit: Unit, vault: Vault, limit: int) -> int:
    old = _old_fields(unit, vault)
    for where, sealed, keep in old[:limit]:
        keep(vault.seal(Purpose.STAFF, where, vault.unseal(Purpose.STAFF, where, sealed)))
    return len(old[:limit])


def _reblind(unit: Unit, vault: Vault, limit: int) -> int:
    moved = 0
    for account_id, blind in islice(_old_logins(unit, vault), limit):
        staff_store.change_account(unit.rows, account_id, login_blind=blind)
        moved += 1
    return moved


def _old_logins(unit: Unit, vault: Vault) -> Iterator[tuple[str, bytes]]:
    """A login still found by its newest blind was moved before; all others are to move."""
    for account in staff_store.list_accounts(unit.rows):
        blind = vault.blind(Purpose.BLIND_LOGIN, login_of(vault, account))
        if staff_store.find_account_by_login(unit.rows, [blind]) is None:
            yield account.id, blind


def _fields(rows: Rows) -> Iterator[Field]:
    """Every field of staff that is sealed, where it lies, and how to keep it anew."""
    for account in staff_store.list_accounts(rows):
        for column, sealed in (("sealed_login", account.sealed_login), ("sealed_name", account.sealed_name)):
            yield place(account.id, column), sealed, _account_keeper(rows, account.id, column)
        yield from _factor_fields(rows, account.id)
    for key in key_store.list_api_keys(rows):
        yield label_place(key.id), key.sealed_label, _key_keeper(rows, key.id, "sealed_label")
        yield digest_place(key.id), key.sealed_digest, _key_keeper(rows, key.id, "sealed_digest")
    for approval in approval_store.list_every_approval(rows):
        yield reason_place(approval.id), approval.sealed_reason, _approval_keeper(rows, approval.id)


def _factor_fields(rows: Rows, account_id: str) -> Iterator[Field]:
    totp = factor_store.find_totp(rows, account_id)
    if totp is not None:
        yield totp_place(account_id), totp.sealed_secret, _totp_keeper(rows, account_id)
    for passkey in factor_store.list_passkeys(rows, account_id):
        yield passkey_label_place(passkey.id), passkey.sealed_label, _label_keeper(rows, passkey.id)


def _account_keeper(rows: Rows, account_id: str, column: str) -> Keep:
    return lambda sealed: staff_store.change_account(rows, account_id, **{column: sealed})


def _key_keeper(rows: Rows, key_id: str, column: str) -> Keep:
    return lambda sealed: key_store.change_api_key(rows, key_id, **{column: sealed})


def _approval_keeper(rows: Rows, approval_id: str) -> Keep:
    return lambda sealed: approval_store.change_approval(rows, approval_id, sealed_reason=sealed)


def _totp_keeper(rows: Rows, account_id: str) -> Keep:
    return lambda sealed: factor_store.change_totp_seal(rows, account_id, sealed)


def _label_keeper(rows: Rows, passkey_id: str) -> Keep:
    return lambda sealed: factor_store.change_passkey_label(rows, passkey_id, sealed)
