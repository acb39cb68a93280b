"""Second factors that are typed: codes of an authenticator app and single-use recovery codes."""

import hashlib
import secrets

import pyotp

from doorward.audit.service import record
from doorward.core.errors import Conflict
from doorward.core.ids import ALPHABET
from doorward.people.model.staff import Totp
from doorward.people.rules.sign_in import RECOVERY_CODES, TOTP_SECONDS, acceptable_steps, one_form_of_code
from doorward.people.store import factors as store
from doorward.platform.db import Unit
from doorward.vault.model import Place, Purpose
from doorward.vault.service import Vault

ISSUER = "Doorward"
CODE_GROUPS, GROUP = 4, 4


def begin_totp(unit: Unit, vault: Vault, account_id: str, login: str) -> str:
    """A new secret as an `otpauth:` address to show once; it counts after `confirm_totp`."""
    found = store.find_totp(unit.rows, account_id)
    if found is not None and found.confirmed:
        raise Conflict("An authenticator app is set up already: remove it first.")
    secret = pyotp.random_base32()
    sealed = vault.seal(Purpose.STAFF, totp_place(account_id), secret.encode())
    store.put_totp(unit.rows, Totp(account_id, sealed, confirmed=False, last_step=0))
    return pyotp.TOTP(secret, interval=TOTP_SECONDS).provisioning_uri(name=login, issuer_name=ISSUER)


def confirm_totp(unit: Unit, vault: Vault, account_id: str, code: str) -> bool:
    """Whether the app shows the right code; from now on it is a second factor."""
    if not _use_totp(unit, vault, store.find_totp(unit.rows, account_id), code):
        return False
    record(unit, "staff.totp_enrolled", subject_id=account_id)
    return True


def use_code(unit: Unit, vault: Vault, account_id: str, code: str) -> str | None:
    """Use up a code of the app or a recovery code: which of the two it was, or None if it is wrong."""
    plain = one_form_of_code(code)
    found = store.find_totp(unit.rows, account_id)
    if found is not None and found.confirmed and _use_totp(unit, vault, found, plain):
        return "totp"
    if store.use_recovery_code(unit.rows, account_id, _recovery_hash(account_id, plain)):
        record(
            unit,
            "staff.recovery_code_used",
            subject_id=account_id,
            left=store.count_recovery_codes(unit.rows, account_id),
        )
        return "recovery-code"
    return None


def make_recovery_codes(unit: Unit, account_id: str) -> tuple[str, ...]:
    """Ten codes of 80 bits to print; each opens once, and all former ones are void."""
    codes = tuple(_recovery_code() for _ in range(RECOVERY_CODES))
    hashes = [_recovery_hash(account_id, one_form_of_code(code)) for code in codes]
    store.put_recovery_codes(unit.rows, account_id, hashes)
    record(unit, "staff.recovery_codes_made", subject_id=account_id, count=len(codes))
    return codes


def remove_totp(unit: Unit, account_id: str) -> None:
    """Forget the authenticator app; `Conflict` if it is the only second factor."""
    if not store.list_passkeys(unit.rows, account_id):
        raise Conflict("This is your only second factor: add a passkey first.")
    store.forget_totp(unit.rows, account_id)
    record(unit, "staff.totp_removed", subject_id=account_id)


def has_second_factor(unit: Unit, account_id: str) -> bool:
    """Whether the account has an authenticator app or a passkey."""
    return store.has_second_factor(unit.rows, account_id)


def totp_place(account_id: str) -> Place:
    """Where the secret lies."""
    return Place("staff_totp", "sealed_secret", account_id)


def passkey_label_place(passkey_id: str) -> Place:
    """Where a passkey's label lies; said here, so that who moves it need not load what proves passkeys."""
    return Place("staff_passkeys", "sealed_label", passkey_id)


def _use_totp(unit: Unit, vault: Vault, totp: Totp | None, code: str) -> bool:
    if totp is None:
        return False
    secret = vault.unseal(Purpose.STAFF, totp_place(totp.account_id), totp.sealed_secret).decode()
    generator = pyotp.TOTP(secret, interval=TOTP_SECONDS)
    plain = one_form_of_code(code).encode()
    right = [
        step
        for step in acceptable_steps(unit.now, totp.last_step)
        if secrets.compare_digest(generator.generate_otp(step).encode(), plain)
    ]
    return bool(right) and store.use_totp_step(unit.rows, totp.account_id, max(right))


def _recovery_code() -> str:
    return "-".join("".join(secrets.choice(ALPHABET) for _ in range(GROUP)) for _ in range(CODE_GROUPS))


def _recovery_hash(account_id: str, code: str) -> bytes:
    """A plain hash is enough for 80 random bits."""
    return hashlib.sha256(f"{account_id}\n{code}".encode()).digest()


def has_app(unit: Unit, account_id: str) -> bool:
    """Whether an authenticator app is set up."""
    found = store.find_totp(unit.rows, account_id)
    return found is not None and found.confirmed


def count_recovery_codes(unit: Unit, account_id: str) -> int:
    """How many recovery codes are left."""
    return store.count_recovery_codes(unit.rows, account_id)
