"""Browsers that signed in before: failures of strangers at the same login do not keep them out."""

import hmac
import secrets

from doorward.core.encoding import from_text, to_text
from doorward.people.model.staff import Account, Session
from doorward.vault.model import Purpose
from doorward.vault.service import Vault

NONCE_BYTES = 16


def make_device(vault: Vault, session: Session) -> str:
    """The value of a cookie that says: this browser signed in to this account, with this password.

    It opens nothing. A new password, a reset or a rotation of the key voids it.
    """
    nonce = secrets.token_bytes(NONCE_BYTES)
    return to_text(
        nonce + vault.blind(Purpose.BLIND_TOKEN, _statement(session.account_id, session.generation, nonce))
    )


def known_device(vault: Vault, account: Account | None, cookie: str | None) -> bytes | None:
    """Under what to count this browser's failures, if it is one of the account's; else None."""
    if account is None or not cookie:
        return None
    try:
        told = from_text(cookie)
    except ValueError:
        return None
    nonce, mac = told[:NONCE_BYTES], told[NONCE_BYTES:]
    ours = vault.blinds(Purpose.BLIND_TOKEN, _statement(account.id, account.generation, nonce))
    return mac if any(hmac.compare_digest(mac, one) for one in ours) else None


def _statement(account_id: str, generation: int, nonce: bytes) -> str:
    return f"device\n{account_id}\n{generation}\n{to_text(nonce)}"
