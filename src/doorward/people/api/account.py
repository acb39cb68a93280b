"""What a member of staff does about himself: factors, sessions, password."""

from datetime import datetime
from typing import Annotated

from fastapi import Depends, Response
from pydantic import BaseModel, Field

from doorward.core.errors import Invalid, Unauthenticated
from doorward.core.permissions import SignedIn
from doorward.people.api.asked import Shape
from doorward.people.api.caller import cookie_of, party_of, porter_of, vault_of
from doorward.people.api.sign_in import LONGEST, OptionsOut
from doorward.people.model.staff import Stage
from doorward.people.service import enrolling, factors, passkeys, sessions, staff
from doorward.platform.cookies import SESSION_COOKIE, clear_cookie, set_cookie
from doorward.platform.web import API_PREFIX, Call, Routes, current_call

routes = Routes(API_PREFIX + "/account", tag="account")

OWN = SignedIn(because="acts on the caller's own account only")
Code = Annotated[str, Field(max_length=60)]


class AccountOut(BaseModel):
    """The caller's own account; `rights` maps sites to rights."""

    account_id: str
    rights: dict[str, list[str]]
    stage: Stage | None


class SessionOut(BaseModel):
    """One of the caller's sessions."""

    session_id: str
    made_at: datetime
    seen_at: datetime
    is_this_one: bool


class SessionsOut(BaseModel):
    """All of them, newest first."""

    items: list[SessionOut]


class TotpOut(BaseModel):
    """The `otpauth:` address to show as a QR code, once."""

    address: str


class CodeIn(Shape):
    """A code of the authenticator app."""

    code: Code


class PasskeyIn(Shape):
    """What the browser made, as text of JSON, and a name for it."""

    answer: str = Field(max_length=20_000)
    label: str = Field(max_length=200)


class EnrolledOut(BaseModel):
    """Recovery codes come once, with the first second factor."""

    recovery_codes: list[str]


class PasswordIn(Shape):
    """The old and the new password."""

    old: str = Field(max_length=LONGEST)
    new: str = Field(max_length=LONGEST)


@routes.get("", needs=OWN)
def get_account(call: Call = Depends(current_call)) -> AccountOut:
    """Who the caller is and what he may do where."""
    with call.reading() as unit:
        found = sessions.find_live_session(unit, cookie_of(call))
    stage = found[0].stage if found and found[1].id == call.actor.id else None
    rights = {site: sorted(held) for site, held in call.actor.rights.items()}
    return AccountOut(account_id=call.actor.id, rights=rights, stage=stage)


@routes.get("/sessions", needs=OWN)
def get_sessions(call: Call = Depends(current_call)) -> SessionsOut:
    """Where the caller is signed in."""
    with call.reading() as unit:
        this, account = sessions.get_session(unit, cookie_of(call))
        found = sessions.list_own_sessions(unit, account.id)
    items = [
        SessionOut(session_id=one.id, made_at=one.made_at, seen_at=one.seen_at, is_this_one=one.id == this.id)
        for one in found
    ]
    return SessionsOut(items=items)


@routes.delete("/sessions", needs=OWN)
def delete_sessions(response: Response, call: Call = Depends(current_call)) -> None:
    """Sign out everywhere, here too."""
    with call.unit() as unit:
        _, account = sessions.get_session(unit, cookie_of(call))
        sessions.end_all_sessions(unit, account.id)
    clear_cookie(response, SESSION_COOKIE)


@routes.delete("/sessions/{session_id}", needs=OWN)
def delete_session(session_id: str, call: Call = Depends(current_call)) -> None:
    """Sign out somewhere else."""
    with call.unit() as unit:
        _, account = sessions.get_session(unit, cookie_of(call))
        sessions.end_own_session(unit, account.id, session_id)


@routes.post("/totp", needs=OWN)
def post_totp(call: Call = Depends(current_call)) -> TotpOut:
    """Begin to set up an authenticator app."""
    with call.unit() as unit:
        _, account = sessions.get_fresh_session(unit, cookie_of(call))
        login = staff.login_of(vault_of(call), account)
        return TotpOut(address=factors.begin_totp(unit, vault_of(call), account.id, login))


@routes.post("/totp/confirm", needs=OWN)
def post_totp_code(body: CodeIn, response: Response, call: Call = Depends(current_call)) -> EnrolledOut:
    """Prove that the app shows the right code."""
    with call.unit() as unit:
        session, account = sessions.get_fresh_session(unit, cookie_of(call))
        if not factors.confirm_totp(unit, vault_of(call), account.id, body.code):
            raise Invalid("This code is not right: check the clock of the phone and type the next one.")
        completed = enrolling.complete(unit, session)
    return _enrolled(response, completed)


@routes.delete("/totp", needs=OWN)
def delete_totp(call: Call = Depends(current_call)) -> None:
    """Remove the authenticator app."""
    with call.unit() as unit:
        _, account = sessions.get_fresh_session(unit, cookie_of(call))
        factors.remove_totp(unit, account.id)


@routes.post("/passkeys/options", needs=OWN)
def post_passkey_options(call: Call = Depends(current_call)) -> OptionsOut:
    """Begin to enrol a passkey."""
    with call.reading() as unit:
        _, account = sessions.get_fresh_session(unit, cookie_of(call))
        made = passkeys.begin_registration(unit, vault_of(call), party_of(call), account)
        return OptionsOut(options=made)


@routes.post("/passkeys", needs=OWN)
def post_passkey(body: PasskeyIn, response: Response, call: Call = Depends(current_call)) -> EnrolledOut:
    """Keep the passkey that the browser made."""
    with call.unit() as unit:
        session, account = sessions.get_fresh_session(unit, cookie_of(call))
        sent = body.model_dump()
        passkeys.finish_registration(unit, vault_of(call), party_of(call), account, **sent)
        completed = enrolling.complete(unit, session)
    return _enrolled(response, completed)


@routes.delete("/passkeys/{passkey_id}", needs=OWN)
def delete_passkey(passkey_id: str, call: Call = Depends(current_call)) -> None:
    """Remove a passkey."""
    with call.unit() as unit:
        _, account = sessions.get_fresh_session(unit, cookie_of(call))
        passkeys.remove_passkey(unit, account.id, passkey_id)


@routes.post("/recovery-codes", needs=OWN)
def post_recovery_codes(call: Call = Depends(current_call)) -> EnrolledOut:
    """Ten new recovery codes; the old ones are void."""
    with call.unit() as unit:
        session, account = sessions.get_fresh_session(unit, cookie_of(call))
        if session.stage is not Stage.FULL:
            raise Invalid("Enrol a second factor first: the codes come with it.")
        return EnrolledOut(recovery_codes=list(factors.make_recovery_codes(unit, account.id)))


@routes.post("/password", needs=OWN)
def post_password(body: PasswordIn, response: Response, call: Call = Depends(current_call)) -> None:
    """Change the password; every other session ends. A wrong old one ends this session too."""
    made = porter_of(call).change_password(cookie_of(call), **body.model_dump())
    if made is None:
        clear_cookie(response, SESSION_COOKIE)
        raise Unauthenticated("The old password is wrong: sign in again.")
    set_cookie(response, SESSION_COOKIE, made.cookie)


def _enrolled(response: Response, completed: enrolling.Completed | None) -> EnrolledOut:
    if completed is None:
        return EnrolledOut(recovery_codes=[])
    set_cookie(response, SESSION_COOKIE, completed.session.cookie)
    return EnrolledOut(recovery_codes=list(completed.recovery_codes))
