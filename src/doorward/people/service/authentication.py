"""Who is calling: a browser's session or a program's key, as an `Actor`."""

import hashlib
import hmac
from dataclasses import dataclass

from doorward.core.errors import Denied, Unauthenticated
from doorward.core.permissions import EVERY_RIGHT, EVERY_SITE, Actor
from doorward.people.model.api_keys import ApiKey
from doorward.people.model.staff import Session, Stage
from doorward.people.rules import api_keys as key_rules
from doorward.people.rules.roles import rights_of
from doorward.people.rules.sessions import is_cross_site, is_touch_due
from doorward.people.service.sessions import find_live_session
from doorward.people.store import api_keys as key_store
from doorward.people.store import roles as role_store
from doorward.people.store import sessions as session_store
from doorward.people.store import staff as staff_store
from doorward.platform.db import Unit
from doorward.vault.model import Place, Purpose
from doorward.vault.service import Vault

SYSTEM_PREFIX = "system:"


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls and by what; `touch_due` says that `touch` has something to write."""

    actor: Actor
    session: Session | None
    key: ApiKey | None
    touch_due: bool


def identify_caller(
    unit: Unit, vault: Vault, *, cookie: str | None, authorization: str | None, address: str | None
) -> Caller:
    """Whoever calls; `Unauthenticated` if nobody we know. A key that is sent wins over a cookie.

    It writes nothing, so that a reading unit will do; `touch` notes the sign of life.
    """
    if authorization is not None:
        return _by_key(unit, vault, authorization, address)
    found = find_live_session(unit, cookie)
    if found is None:
        raise Unauthenticated("Sign in first, or send an API key as a bearer token.")
    session, account = found
    full = session.stage is Stage.FULL
    actor = staff_actor(unit, account.id) if full else Actor(account.id)
    return Caller(actor, session, None, is_touch_due(session.seen_at, unit.now))


def refuse_key_in_address(address: str) -> None:
    """`Denied` for an API key in a query or path, whoever else the caller is: it is no secret any more."""
    if key_rules.is_in_address(address):
        raise Denied("An API key never goes into an address: send it as a bearer token, and revoke this one.")


def touch(unit: Unit, caller: Caller) -> None:
    """Note that a session or a key was used, coarsely."""
    if not caller.touch_due:
        return
    if caller.session is not None:
        session_store.touch_session(unit.rows, caller.session.id, unit.now)
    if caller.key is not None:
        key_store.change_api_key(unit.rows, caller.key.id, used_at=unit.now)


def refuse_cross_site(
    method: str, *, origin: str | None, fetch_site: str | None, host: str, own_header: str | None
) -> None:
    """`Denied` if a request that carries our cookie may come from another site's page.

    The arguments are the headers `Origin`, `Sec-Fetch-Site`, `Host` and `X-Doorward-CSRF`. Not for API keys.
    """
    if is_cross_site(
        method, origin=origin, fetch_site=fetch_site, host=host, own_header=own_header is not None
    ):
        raise Denied("This request did not come from our own page: send the header X-Doorward-CSRF.")


def staff_actor(unit: Unit, account_id: str) -> Actor:
    """A staff member with all rights of all his roles."""
    return Actor(account_id, rights_of(role_store.list_assignments(unit.rows, account_id)))


def digest_place(key_id: str) -> Place:
    """Where a key's digest lies."""
    return Place("staff_api_keys", "sealed_digest", key_id)


def digest_of(secret: str) -> bytes:
    """What is kept, sealed, of a key's 256-bit secret."""
    return hashlib.sha256(secret.encode()).digest()


def _by_key(unit: Unit, vault: Vault, authorization: str, address: str | None) -> Caller:
    scheme, _, token = authorization.partition(" ")
    parts = key_rules.parse_token(token.strip())
    key = key_store.find_api_key(unit.rows, parts[0]) if parts else None
    if scheme.casefold() != "bearer" or parts is None or key is None:
        raise _unknown_key()
    kept = vault.unseal(Purpose.STAFF, digest_place(key.id), key.sealed_digest)
    if not hmac.compare_digest(kept, digest_of(parts[1])) or not key_rules.is_usable(key, unit.now, address):
        raise _unknown_key()
    actor = Actor(key.id, key_rules.effective_rights(key, _maker(unit, key.maker_id)))
    return Caller(actor, None, key, is_touch_due(key.used_at, unit.now, key_rules.USED_COARSELY))


def _maker(unit: Unit, maker_id: str) -> Actor:
    if maker_id.startswith(SYSTEM_PREFIX):
        return Actor(maker_id, {EVERY_SITE: EVERY_RIGHT})
    account = staff_store.find_account(unit.rows, maker_id)
    return Actor(maker_id) if account is None or account.barred else staff_actor(unit, maker_id)


def _unknown_key() -> Unauthenticated:
    return Unauthenticated("This API key is unknown, expired, revoked or not for your address.")
