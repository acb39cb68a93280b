"""The pages in front of the door: first administrator, invitation, sign-in, sign-out."""

from fastapi import Depends, Request, Response

from doorward.core.errors import DoorwardError
from doorward.core.permissions import Public
from doorward.people.model.staff import NewSession, SignInRefusal, Stage
from doorward.people.service import sessions
from doorward.people.service.by_password import Porter
from doorward.people.service.devices import make_device
from doorward.platform.cookies import (
    DEVICE_COOKIE,
    DEVICE_DAYS,
    SESSION_COOKIE,
    clear_cookie,
    peer_address,
    set_cookie,
)
from doorward.platform.pages import Form, Pages, checked_form, see_other
from doorward.platform.web import Call, Routes, current_call

routes = Routes("", tag="pages", in_schema=False)
pages = Pages("doorward.people.pages")

FORM = Public(because="whoever is outside must be able to ask in; the form holds nothing")
PROOF = Public(because="the password and code, or the one-time token, in the form are the proof")
REFUSALS = {
    SignInRefusal.WRONG: "Login, password or code is wrong.",
    SignInRefusal.LOCKED: "Too many failures: wait some minutes, or use a passkey from another place.",
}


@routes.get("/setup", needs=FORM)
def get_setup(request: Request) -> Response:
    """The form of the first administrator; the token stays in the fragment, which no server sees."""
    return pages.answer(request, "setup.html", login="", name="")


@routes.post("/setup", needs=PROOF)
def post_setup(call: Call = Depends(current_call), form: Form = Depends(checked_form)) -> Response:
    """Become the first administrator."""
    wanted = {key: form.get(key, "") for key in ("token", "login", "name", "password")}
    try:
        made = _porter(call).set_up_first(**wanted)
    except DoorwardError as error:
        again = {"error": str(error), "login": wanted["login"], "name": wanted["name"]}
        return pages.answer(call.request, "setup.html", status=422, **again)
    return enter(made)


@routes.get("/welcome", needs=FORM)
def get_welcome(request: Request) -> Response:
    """The form of somebody invited."""
    return pages.answer(request, "welcome.html")


@routes.post("/welcome", needs=PROOF)
def post_welcome(call: Call = Depends(current_call), form: Form = Depends(checked_form)) -> Response:
    """Choose a password."""
    try:
        made = _porter(call).accept_invitation(token=form.get("token", ""), password=form.get("password", ""))
    except DoorwardError as error:
        return pages.answer(call.request, "welcome.html", status=422, error=str(error))
    return enter(made)


@routes.get("/sign-in", needs=FORM)
def get_sign_in(request: Request) -> Response:
    """The sign-in form."""
    return pages.answer(request, "sign_in.html")


@routes.post("/sign-in", needs=PROOF)
def post_sign_in(call: Call = Depends(current_call), form: Form = Depends(checked_form)) -> Response:
    """Sign in with password and code."""
    answer = _porter(call).sign_in(
        login=form.get("login", ""),
        password=form.get("password", ""),
        code=form.get("code") or None,
        address=peer_address(call.request),
        device=call.request.cookies.get(DEVICE_COOKIE),
    )
    if isinstance(answer, SignInRefusal):
        return pages.answer(call.request, "sign_in.html", status=401, error=REFUSALS[answer])
    response = enter(answer)
    device = make_device(call.request.app.state.vault, answer.session)
    set_cookie(response, DEVICE_COOKIE, device, days=DEVICE_DAYS)
    return response


@routes.post("/sign-out", needs=Public(because="ends the session of the cookie that is sent, if any"))
def post_sign_out(call: Call = Depends(current_call), _: Form = Depends(checked_form)) -> Response:
    """End this session."""
    with call.unit() as unit:
        sessions.sign_out(unit, call.request.cookies.get(SESSION_COOKIE))
    response = see_other("/sign-in")
    clear_cookie(response, SESSION_COOKIE)
    return response


def enter(made: NewSession) -> Response:
    """Where a new session goes first."""
    response = see_other("/" if made.session.stage is Stage.FULL else "/account/second-factor")
    set_cookie(response, SESSION_COOKIE, made.cookie)
    return response


def _porter(call: Call) -> Porter:
    state = call.request.app.state
    return Porter(call, state.vault, state.passwords)
