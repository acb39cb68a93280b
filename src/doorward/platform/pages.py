"""Pages rendered on the server: escaped templates, forms that only our own page can send, static files."""

import hmac
import secrets
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from urllib.parse import parse_qsl

from fastapi import FastAPI, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined
from starlette.staticfiles import StaticFiles

from doorward.core.encoding import to_text
from doorward.core.errors import Denied, Invalid
from doorward.platform.cookies import FORM_COOKIE, SESSION_COOKIE, set_cookie

FORM_FIELD = "form_token"
FORM_TYPE = "application/x-www-form-urlencoded"
MOST_FIELDS = 40
TOKEN_BYTES = 32
OWN = "doorward.platform"

Form = Mapping[str, str]


class Pages:
    """The templates of one room's package, on top of the house's `base.html`."""

    def __init__(self, package: str) -> None:
        loader = ChoiceLoader([PackageLoader(package), PackageLoader(OWN)])
        self._environment = Environment(loader=loader, autoescape=True, undefined=StrictUndefined)

    def answer(self, request: Request, template: str, *, status: int = 200, **values: object) -> Response:
        """A page; its forms carry a token that equals this browser's form cookie."""
        token = request.cookies.get(FORM_COOKIE) or to_text(secrets.token_bytes(TOKEN_BYTES))
        shell = {FORM_FIELD: token, "signed_in": SESSION_COOKIE in request.cookies, "error": None}
        response = HTMLResponse(self._environment.get_template(template).render(shell | values), status)
        if FORM_COOKIE not in request.cookies:
            set_cookie(response, FORM_COOKIE, token)
        return response


async def checked_form(request: Request) -> Form:
    """A FastAPI dependency, and the only way to a form's fields: `Denied` unless our own page sent it."""
    if request.headers.get("content-type", "").partition(";")[0].strip() != FORM_TYPE:
        raise Invalid("Send a form from one of our pages.")
    try:
        fields = dict(parse_qsl((await request.body()).decode(), True, max_num_fields=MOST_FIELDS))
    except ValueError as error:
        raise Invalid("This form cannot be read.") from error
    sent, kept = fields.pop(FORM_FIELD, ""), request.cookies.get(FORM_COOKIE, "")
    elsewhere = request.headers.get("sec-fetch-site", "same-origin") != "same-origin"
    if elsewhere or not kept or not hmac.compare_digest(sent.encode(), kept.encode()):
        raise Denied("This form did not come from our own page, or the page is old: load it again.")
    return fields


def see_other(path: str) -> Response:
    """Send the browser to another of our pages after a form."""
    return RedirectResponse(path, status_code=303)


def wants_page(request: Request) -> bool:
    """Whether a person's browser asks, and not a program."""
    return not request.url.path.startswith("/api/") and "text/html" in request.headers.get("accept", "")


def problem_page(request: Request, *, status: int, title: str, detail: str) -> Response:
    """A problem as a page; somebody unknown is led to the sign-in page instead."""
    if status == 401:
        return see_other("/sign-in")
    return Pages(OWN).answer(request, "problem.html", status=status, title=title, detail=detail)


def static_folder(package: str) -> Path:
    """The folder `static` of a package."""
    return Path(str(files(package))) / "static"


def mount_static(api: FastAPI, packages: Mapping[str, str]) -> None:
    """Serve `/static/<name>/...` from each package's folder, and the house's own as `house`."""
    for name, package in {"house": OWN, **packages}.items():
        api.mount(f"/static/{name}", StaticFiles(directory=static_folder(package)), name=f"static-{name}")
