"""Sign in and out, begin as the first administrator or by invitation, over HTTP."""

from typing import Any

from fastapi import Depends, Response
from pydantic import BaseModel, Field

from doorward.core.errors import Denied, Unauthenticated
from doorward.core.permissions import Public
from doorward.people.api.asked import Shape
from doorward.people.api.caller import cookie_of, party_of, porter_of, vault_of
from doorward.people.model.staff import NewSession, SignInRefusal, Stage
from doorward.people.service import passkeys, sessions
from doorward.people.service.devices import make_device
from doorward.platform.cookies import (
    DEVICE_COOKIE,
    DEVICE_DAYS,
    SESSION_COOKIE,
    clear_cookie,
    peer_address,
    set_cookie,
)
from doorward.platform.web import API_PREFIX, Call, Routes, current_call
from doorward.vault.service import Vault

routes = Routes(API_PREFIX, tag="sign-in")

LONGEST = 600
BECAUSE_SIGNING_IN = Public(because="whoever signs in is not known yet; failures are counted and locked")
BECAUSE_LINK = Public(because="the one-time token in the body is the proof")


class SignInIn(Shape):
    """Login, password and, once enrolled, a code of the authenticator app or a recovery code."""

    login: str = Field(max_length=LONGEST)
    password: str = Field(max_length=LONGEST)
    code: str | None = Field(None, max_length=60)


class SetUpIn(Shape):
    """The first administrator."""

    token: str = Field(max_length=200)
    login: str = Field(max_length=LONGEST)
    name: str = Field(max_length=LONGEST)
    password: str = Field(max_length=LONGEST)


class WelcomeIn(Shape):
    """An invitation's token and the password to use from now on."""

    token: str = Field(max_length=200)
    password: str = Field(max_length=LONGEST)


class PasskeyAnswerIn(Shape):
    """What the browser's `PublicKeyCredential.toJSON()` gave, as text."""

    answer: str = Field(max_length=20_000)


class OptionsOut(BaseModel):
    """Options for `navigator.credentials`, as text of JSON."""

    options: str


class SignedInOut(BaseModel):
    """Who signed in; `enrolling` sessions may enrol a second factor and nothing else."""

    account_id: str
    stage: Stage


@routes.post("/sign-in", needs=BECAUSE_SIGNING_IN)
def post_sign_in(body: SignInIn, response: Response, call: Call = Depends(current_call)) -> SignedInOut:
    """Sign in with password and code; the session comes as a cookie."""
    answer = porter_of(call).sign_in(
        **body.model_dump(),
        address=peer_address(call.request),
        device=call.request.cookies.get(DEVICE_COOKIE),
    )
    if isinstance(answer, NewSession):
        remember_device(response, vault_of(call), answer)
    return _welcome(response, answer)


@routes.post("/sign-in/passkey/options", needs=BECAUSE_SIGNING_IN)
def post_passkey_options(call: Call = Depends(current_call)) -> OptionsOut:
    """A challenge for any passkey of this house."""
    with call.reading() as unit:
        return OptionsOut(options=passkeys.begin_passkey_sign_in(unit, vault_of(call), party_of(call)))


@routes.post("/sign-in/passkey", needs=BECAUSE_SIGNING_IN)
def post_passkey(
    body: PasskeyAnswerIn, response: Response, call: Call = Depends(current_call)
) -> SignedInOut:
    """Sign in with a passkey alone: it holds a key and checks its user."""
    sent: dict[str, Any] = {"answer": body.answer, "address": peer_address(call.request)}
    with call.unit() as unit:
        answer = passkeys.finish_passkey_sign_in(unit, vault_of(call), party_of(call), **sent)
    return _welcome(response, answer)


@routes.post("/sign-out", needs=Public(because="ends the session of the cookie that is sent, if any"))
def post_sign_out(response: Response, call: Call = Depends(current_call)) -> None:
    """End this session."""
    with call.unit() as unit:
        sessions.sign_out(unit, cookie_of(call))
    clear_cookie(response, SESSION_COOKIE)


@routes.post("/setup", needs=BECAUSE_LINK)
def post_setup(body: SetUpIn, response: Response, call: Call = Depends(current_call)) -> SignedInOut:
    """Become the first administrator by the link printed at the start."""
    return _welcome(response, porter_of(call).set_up_first(**body.model_dump()))


@routes.post("/welcome", needs=BECAUSE_LINK)
def post_welcome(body: WelcomeIn, response: Response, call: Call = Depends(current_call)) -> SignedInOut:
    """Choose a password by an invitation."""
    return _welcome(response, porter_of(call).accept_invitation(**body.model_dump()))


def remember_device(response: Response, vault: Vault, made: NewSession) -> None:
    """Let failures of strangers not keep this browser out from now on."""
    set_cookie(response, DEVICE_COOKIE, make_device(vault, made.session), days=DEVICE_DAYS)


def refusal_of(refusal: SignInRefusal) -> Denied:
    """What is said to somebody who is not let in; never which part was wrong."""
    if refusal is SignInRefusal.LOCKED:
        return Denied("Too many failures: wait some minutes, or use a passkey from another place.")
    return Unauthenticated("Login, password or code is wrong.")


def _welcome(response: Response, answer: NewSession | SignInRefusal) -> SignedInOut:
    if isinstance(answer, SignInRefusal):
        raise refusal_of(answer)
    set_cookie(response, SESSION_COOKIE, answer.cookie)
    return SignedInOut(account_id=answer.session.account_id, stage=answer.session.stage)
