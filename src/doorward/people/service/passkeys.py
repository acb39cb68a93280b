"""Passkeys (WebAuthn level 3): enrol one, sign in with one. User verification is required every time."""

import hashlib
import hmac
import json
import secrets
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import urlsplit

import webauthn
from webauthn.helpers import (
    bytes_to_base64url,
    options_to_json,
    parse_authentication_credential_json,
    parse_registration_credential_json,
)
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from doorward.audit.service import record
from doorward.core.errors import Conflict, Invalid, NotFound
from doorward.core.ids import new_id
from doorward.people.model.staff import Account, NewSession, Passkey, SignInRefusal, Stage
from doorward.people.rules.sign_in import ADDRESS_LIMIT
from doorward.people.service.factors import passkey_label_place
from doorward.people.service.sessions import make_session
from doorward.people.service.sign_in import blind_address, count_failure, is_address_locked
from doorward.people.service.staff import login_of, name_of
from doorward.people.store import factors as store
from doorward.people.store import staff as staff_store
from doorward.platform.db import Unit
from doorward.vault.model import Purpose
from doorward.vault.service import Vault

CHALLENGE_LASTS = timedelta(minutes=5)
NONCE = 16
EXPIRY = 8
LONGEST_LABEL = 60
ANYBODY = "anybody"
MALFORMED = (WebAuthnException, ValueError, KeyError, TypeError, AttributeError)
REQUIRED = UserVerificationRequirement.REQUIRED


@dataclass(frozen=True, slots=True)
class RelyingParty:
    """Who a passkey is for: the host's name and the origin that browsers show."""

    id: str
    origin: str
    name: str = "Doorward"


def relying_party(public_url: str | None, port: int) -> RelyingParty:
    """The party of the address by which browsers reach us; `Invalid` unless that is an https origin."""
    origin = (public_url or f"https://localhost:{port}").rstrip("/")
    parts = urlsplit(origin)
    if parts.scheme != "https" or parts.hostname is None or parts.path:
        raise Invalid("web.public_url must be an origin such as https://doors.example.org.")
    return RelyingParty(parts.hostname, origin.removesuffix(":443"))


def begin_registration(unit: Unit, vault: Vault, party: RelyingParty, account: Account) -> str:
    """Options for `navigator.credentials.create`, as JSON."""
    known = store.list_passkeys(unit.rows, account.id)
    options = webauthn.generate_registration_options(
        rp_id=party.id,
        rp_name=party.name,
        user_id=account.id.encode(),
        user_name=login_of(vault, account),
        user_display_name=name_of(vault, account),
        challenge=_make_challenge(unit, vault, account.id),
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.REQUIRED, user_verification=REQUIRED
        ),
        exclude_credentials=[PublicKeyCredentialDescriptor(id=one.credential_id) for one in known],
    )
    return options_to_json(options)


def finish_registration(
    unit: Unit, vault: Vault, party: RelyingParty, account: Account, *, answer: str, label: str
) -> str:
    """Keep the passkey that the browser made; its id. `Invalid` if the answer is not one to our challenge."""
    if not 1 <= len(label.strip()) <= LONGEST_LABEL:
        raise Invalid(f"Name the passkey in 1 to {LONGEST_LABEL} characters.")
    try:
        credential = parse_registration_credential_json(answer)
        verified = webauthn.verify_registration_response(
            credential=credential,
            expected_challenge=_spend(unit, vault, account.id, credential.response.client_data_json),
            expected_rp_id=party.id,
            expected_origin=party.origin,
            require_user_verification=True,
        )
    except MALFORMED as error:
        raise Invalid("This passkey could not be checked: start again.") from error
    if store.find_passkey(unit.rows, verified.credential_id) is not None:
        raise Conflict("This passkey is known already.")
    passkey_id = new_id("passkey")
    sealed = vault.seal(Purpose.STAFF, passkey_label_place(passkey_id), label.strip().encode())
    store.add_passkey(
        unit.rows,
        Passkey(
            passkey_id,
            account.id,
            verified.credential_id,
            verified.credential_public_key,
            verified.sign_count,
            sealed,
            unit.now,
        ),
    )
    record(unit, "staff.passkey_enrolled", subject_id=account.id, passkey=passkey_id)
    return passkey_id


def begin_passkey_sign_in(unit: Unit, vault: Vault, party: RelyingParty) -> str:
    """Options for `navigator.credentials.get`, as JSON; they name nobody and nothing is kept for them."""
    options = webauthn.generate_authentication_options(
        rp_id=party.id, challenge=_make_challenge(unit, vault, ANYBODY), user_verification=REQUIRED
    )
    return options_to_json(options)


def finish_passkey_sign_in(
    unit: Unit, vault: Vault, party: RelyingParty, *, answer: str, address: str | None
) -> NewSession | SignInRefusal:
    """A full session, or why not. The refusal must commit, since it counts against the address."""
    address_blind = blind_address(vault, address)
    if is_address_locked(unit, address_blind):
        return SignInRefusal.LOCKED
    account = _prove(unit, vault, party, answer)
    if account is None:
        record(unit, "staff.sign_in_failed", why="passkey")
        count_failure(unit, address_blind, ADDRESS_LIMIT)
        return SignInRefusal.WRONG
    made = make_session(unit, account, Stage.FULL)
    record(unit, "staff.signed_in", subject_id=account.id, method="passkey", session=made.session.id)
    return made


def list_passkeys(unit: Unit, vault: Vault, account_id: str) -> list[tuple[Passkey, str]]:
    """The account's passkeys with their labels."""
    found = store.list_passkeys(unit.rows, account_id)
    place = passkey_label_place
    return [(one, vault.unseal(Purpose.STAFF, place(one.id), one.sealed_label).decode()) for one in found]


def remove_passkey(unit: Unit, account_id: str, passkey_id: str) -> None:
    """Forget a passkey; `Conflict` if it is the only second factor."""
    totp = store.find_totp(unit.rows, account_id)
    others = [one for one in store.list_passkeys(unit.rows, account_id) if one.id != passkey_id]
    if not others and not (totp and totp.confirmed):
        raise Conflict("This is your only second factor: add another one first.")
    if not store.forget_passkey(unit.rows, account_id, passkey_id):
        raise NotFound("There is no such passkey.")
    record(unit, "staff.passkey_removed", subject_id=account_id, passkey=passkey_id)


def _prove(unit: Unit, vault: Vault, party: RelyingParty, answer: str) -> Account | None:
    """The open account whose passkey answered our challenge, or nobody."""
    try:
        credential = parse_authentication_credential_json(answer)
        passkey = store.find_passkey(unit.rows, credential.raw_id)
        if passkey is None:
            return None
        verified = webauthn.verify_authentication_response(
            credential=credential,
            expected_challenge=_spend(unit, vault, ANYBODY, credential.response.client_data_json),
            expected_rp_id=party.id,
            expected_origin=party.origin,
            credential_public_key=passkey.public_key,
            credential_current_sign_count=passkey.sign_count,
            require_user_verification=True,
        )
    except MALFORMED:
        return None
    store.change_sign_count(unit.rows, passkey.id, verified.new_sign_count)
    account = staff_store.find_account(unit.rows, passkey.account_id)
    return None if account is None or account.barred else account


def _make_challenge(unit: Unit, vault: Vault, about: str) -> bytes:
    """Random, dated and signed by us, so that a stranger who asks for one makes us keep nothing."""
    expires_at = int((unit.now + CHALLENGE_LASTS).timestamp())
    head = secrets.token_bytes(NONCE) + expires_at.to_bytes(EXPIRY, "big")
    return head + vault.blind(Purpose.BLIND_TOKEN, _statement(head, about))


def _spend(unit: Unit, vault: Vault, about: str, client_data: bytes) -> bytes:
    """The challenge that was answered, if it is ours, in time and unspent; `ValueError` otherwise."""
    told = json.loads(client_data)
    challenge = webauthn.base64url_to_bytes(str(told["challenge"] if isinstance(told, dict) else ""))
    head, mac = challenge[: NONCE + EXPIRY], challenge[NONCE + EXPIRY :]
    ours = vault.blinds(Purpose.BLIND_TOKEN, _statement(head, about))
    if not any(hmac.compare_digest(mac, one) for one in ours):
        raise ValueError("not our challenge")
    if unit.now.timestamp() >= int.from_bytes(head[NONCE:], "big"):
        raise ValueError("challenge expired")
    if not store.spend(unit.rows, hashlib.sha256(challenge).digest(), unit.now + CHALLENGE_LASTS):
        raise ValueError("challenge spent")
    return challenge


def _statement(head: bytes, about: str) -> str:
    return f"passkey\n{about}\n{bytes_to_base64url(head)}"
