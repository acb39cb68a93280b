"""From a request to its caller, and from a request to what the house holds."""

from contextlib import suppress

from fastapi import Request

from doorward.core.errors import Unavailable
from doorward.core.permissions import EVERY_SITE, Actor
from doorward.people.service.authentication import (
    identify_caller,
    refuse_cross_site,
    refuse_key_in_address,
    touch,
)
from doorward.people.service.by_password import Porter
from doorward.people.service.passkeys import RelyingParty, relying_party
from doorward.people.service.passwords import Passwords
from doorward.people.service.recogniser import Recogniser
from doorward.platform.cookies import SESSION_COOKIE, peer_address
from doorward.platform.db import Database
from doorward.platform.pages import FORM_TYPE
from doorward.platform.settings import Settings
from doorward.platform.web import Call
from doorward.vault.service import Vault

STRANGER = Actor("public")
CSRF_HEADER = "X-Doorward-CSRF"
TOUCH_SECONDS = 0.2


def authenticate_request(request: Request) -> Actor:
    """Whoever sent this; for `app.state.authenticate`. `Unauthenticated` if nobody, `Denied` across sites.

    Reads without waiting for writers; writes only when a sign of life is due.
    """
    database: Database = request.app.state.database
    vault: Vault = request.app.state.vault
    headers = request.headers
    refuse_key_in_address(f"{request.url.path}?{request.url.query}")
    with database.reading(STRANGER, EVERY_SITE) as unit:
        caller = identify_caller(
            unit,
            vault,
            cookie=request.cookies.get(SESSION_COOKIE),
            authorization=headers.get("authorization"),
            address=peer_address(request),
        )
    # A form of our pages proves itself by its token, in `platform.pages.checked_form`.
    if caller.session is not None and not _is_form(request):
        refuse_cross_site(
            request.method,
            origin=headers.get("origin"),
            fetch_site=headers.get("sec-fetch-site"),
            host=headers.get("host", ""),
            own_header=headers.get(CSRF_HEADER),
        )
    if caller.touch_due:
        # It is due again at the next call: no passage waits or fails for it.
        with suppress(Unavailable), database.unit(STRANGER, EVERY_SITE, patience=TOUCH_SECONDS) as unit:
            touch(unit, caller)
    return caller.actor


def recogniser_of(call: Call) -> Recogniser:
    """Whoever knows faces and plates again."""
    recogniser: Recogniser = call.request.app.state.recogniser
    return recogniser


def vault_of(call: Call) -> Vault:
    """The unlocked vault."""
    vault: Vault = call.request.app.state.vault
    return vault


def porter_of(call: Call) -> Porter:
    """Where this caller's passwords are taken, by the one hasher of this process."""
    passwords: Passwords = call.request.app.state.passwords
    return Porter(call, vault_of(call), passwords)


def party_of(call: Call) -> RelyingParty:
    """Who passkeys are for."""
    settings: Settings = call.request.app.state.settings
    return relying_party(settings.web.public_url, settings.web.port)


def cookie_of(call: Call) -> str | None:
    """The session's cookie."""
    return call.request.cookies.get(SESSION_COOKIE)


def _is_form(request: Request) -> bool:
    is_form = request.headers.get("content-type", "").partition(";")[0].strip() == FORM_TYPE
    return is_form and not request.url.path.startswith("/api/")
