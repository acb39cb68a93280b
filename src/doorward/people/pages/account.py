"""My account: second factors, recovery codes, password, sessions."""

from collections.abc import Callable

import segno
from fastapi import Depends, Response

from doorward.core.errors import DoorwardError, Invalid
from doorward.core.permissions import SignedIn
from doorward.people.model.staff import Stage
from doorward.people.service import enrolling, factors, passkeys, sessions, staff
from doorward.people.service.by_password import Porter
from doorward.platform.cookies import SESSION_COOKIE, clear_cookie, set_cookie
from doorward.platform.db import Unit
from doorward.platform.pages import Form, Pages, checked_form, see_other
from doorward.platform.web import Call, Routes, current_call
from doorward.vault.service import Vault

routes = Routes("/account", tag="pages", in_schema=False)
pages = Pages("doorward.people.pages")

OWN = SignedIn(because="shows and changes the caller's own account only")
WRONG_CODE = "This code is not right: check the clock of the phone and type the next one."


@routes.get("", needs=OWN)
def get_account(call: Call = Depends(current_call)) -> Response:
    """Everything about one's own account on one page."""
    with call.reading() as unit:
        session, _ = sessions.get_session(unit, _cookie(call))
        if session.stage is Stage.ENROLLING:
            return see_other("/account/second-factor")
        return _overview(call, unit)


@routes.get("/second-factor", needs=OWN)
def get_second_factor(call: Call = Depends(current_call)) -> Response:
    """Choose a second factor to enrol."""
    with call.reading() as unit:
        session, _ = sessions.get_session(unit, _cookie(call))
    return pages.answer(call.request, "second_factor.html", must=session.stage is Stage.ENROLLING)


@routes.post("/totp", needs=OWN)
def post_totp(call: Call = Depends(current_call), _: Form = Depends(checked_form)) -> Response:
    """Show the secret of a new authenticator app, this once."""
    vault = _vault(call)
    with call.unit() as unit:
        _session, account = sessions.get_fresh_session(unit, _cookie(call))
        login = staff.login_of(vault, account)
        address = factors.begin_totp(unit, vault, account.id, login)
    return _totp_page(call, address)


@routes.post("/totp/confirm", needs=OWN)
def post_totp_code(call: Call = Depends(current_call), form: Form = Depends(checked_form)) -> Response:
    """Prove that the app shows the right code."""
    vault, completed = _vault(call), None
    with call.unit() as unit:
        session, account = sessions.get_fresh_session(unit, _cookie(call))
        right = factors.confirm_totp(unit, vault, account.id, form.get("code", ""))
        if right:
            completed = enrolling.complete(unit, session)
    if not right:
        return _totp_page(call, None, error=WRONG_CODE)
    if completed is None:
        return see_other("/account")
    response = _codes_page(call, completed.recovery_codes)
    set_cookie(response, SESSION_COOKIE, completed.session.cookie)
    return response


@routes.post("/totp/remove", needs=OWN)
def post_totp_remove(call: Call = Depends(current_call), _: Form = Depends(checked_form)) -> Response:
    """Remove the authenticator app."""
    return _change(call, factors.remove_totp)


@routes.post("/passkeys/{passkey_id}/remove", needs=OWN)
def post_passkey_remove(
    passkey_id: str, call: Call = Depends(current_call), _: Form = Depends(checked_form)
) -> Response:
    """Remove a passkey."""
    return _change(call, lambda unit, account_id: passkeys.remove_passkey(unit, account_id, passkey_id))


@routes.post("/sessions/{session_id}/end", needs=OWN)
def post_session_end(
    session_id: str, call: Call = Depends(current_call), _: Form = Depends(checked_form)
) -> Response:
    """Sign out somewhere else."""
    with call.unit() as unit:
        _session, account = sessions.get_session(unit, _cookie(call))
        sessions.end_own_session(unit, account.id, session_id)
    return see_other("/account")


@routes.post("/sessions/end", needs=OWN)
def post_sessions_end(call: Call = Depends(current_call), _: Form = Depends(checked_form)) -> Response:
    """Sign out everywhere, here too."""
    with call.unit() as unit:
        _session, account = sessions.get_session(unit, _cookie(call))
        sessions.end_all_sessions(unit, account.id)
    response = see_other("/sign-in")
    clear_cookie(response, SESSION_COOKIE)
    return response


@routes.post("/recovery-codes", needs=OWN)
def post_recovery_codes(call: Call = Depends(current_call), _: Form = Depends(checked_form)) -> Response:
    """Ten new codes, shown this once."""
    with call.unit() as unit:
        session, account = sessions.get_fresh_session(unit, _cookie(call))
        if session.stage is not Stage.FULL:
            raise Invalid("Enrol a second factor first: the codes come with it.")
        codes = factors.make_recovery_codes(unit, account.id)
    return _codes_page(call, codes)


@routes.post("/password", needs=OWN)
def post_password(call: Call = Depends(current_call), form: Form = Depends(checked_form)) -> Response:
    """Change the password; a wrong old one ends the session."""
    porter = Porter(call, _vault(call), call.request.app.state.passwords)
    try:
        made = porter.change_password(_cookie(call), old=form.get("old", ""), new=form.get("new", ""))
    except Invalid as error:
        with call.reading() as unit:
            return _overview(call, unit, status=422, error=str(error))
    response = see_other("/account" if made else "/sign-in")
    if made is None:
        clear_cookie(response, SESSION_COOKIE)
    else:
        set_cookie(response, SESSION_COOKIE, made.cookie)
    return response


def _change(call: Call, deed: Callable[[Unit, str], None]) -> Response:
    try:
        with call.unit() as unit:
            _, account = sessions.get_fresh_session(unit, _cookie(call))
            deed(unit, account.id)
    except DoorwardError as error:
        with call.reading() as unit:
            return _overview(call, unit, status=422, error=str(error))
    return see_other("/account")


def _overview(call: Call, unit: Unit, *, status: int = 200, error: str | None = None) -> Response:
    session, account = sessions.get_session(unit, _cookie(call))
    vault = _vault(call)
    return pages.answer(
        call.request,
        "account.html",
        status=status,
        error=error,
        login=staff.login_of(vault, account),
        name=staff.name_of(vault, account),
        has_app=factors.has_app(unit, account.id),
        passkeys=passkeys.list_passkeys(unit, vault, account.id),
        codes_left=factors.count_recovery_codes(unit, account.id),
        roles=staff.list_roles_of(unit, account.id),
        sessions=sessions.list_own_sessions(unit, account.id),
        this_id=session.id,
    )


def _totp_page(call: Call, address: str | None, *, error: str | None = None) -> Response:
    picture = segno.make(address, micro=False).svg_data_uri(scale=4, border=1) if address else None
    secret = address.partition("secret=")[2].partition("&")[0] if address else None
    status = 422 if error else 200
    values = {"picture": picture, "secret": secret, "error": error}
    return pages.answer(call.request, "totp.html", status=status, **values)


def _codes_page(call: Call, codes: tuple[str, ...]) -> Response:
    return pages.answer(call.request, "recovery_codes.html", codes=codes)


def _cookie(call: Call) -> str | None:
    return call.request.cookies.get(SESSION_COOKIE)


def _vault(call: Call) -> Vault:
    vault: Vault = call.request.app.state.vault
    return vault
