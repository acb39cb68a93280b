"""What each family of error becomes for whoever asks the server: an HTTP problem (RFC 9457)."""

import logging
from http import HTTPStatus

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from doorward.app.headers import HEADERS
from doorward.core.errors import DoorwardError, Tampered
from doorward.platform.pages import problem_page, wants_page

log = logging.getLogger("doorward.http")

STATUS = {
    "invalid": HTTPStatus.UNPROCESSABLE_ENTITY,
    "unauthenticated": HTTPStatus.UNAUTHORIZED,
    "denied": HTTPStatus.FORBIDDEN,
    "not-found": HTTPStatus.NOT_FOUND,
    "conflict": HTTPStatus.CONFLICT,
    "unavailable": HTTPStatus.SERVICE_UNAVAILABLE,
}
COME_BACK = (HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.TOO_MANY_REQUESTS)
# What the web framework says by itself, in our words.
UNROUTED: dict[int, str] = {
    HTTPStatus.BAD_REQUEST: "The body cannot be read: send well-formed JSON in UTF-8.",
    HTTPStatus.NOT_FOUND: "There is nothing at this address: see the API's description for what there is.",
    HTTPStatus.METHOD_NOT_ALLOWED: "This address takes no request of that method: see the API's description.",
}
TITLES = {
    "invalid": "This cannot be used as it is",
    "unauthenticated": "Sign in first",
    "denied": "You may not do this",
    "not-found": "There is no such thing here",
    "conflict": "This does not fit the present state",
    "unavailable": "Something needed did not answer",
    "tampered": "Stored bytes failed their proof",
    "internal": "Something went wrong on our side",
}


def install_problem_handlers(api: FastAPI) -> None:
    """One place that turns errors into answers; anything unknown is a 500 that tells nothing."""
    api.add_exception_handler(DoorwardError, _doorward_problem)
    api.add_exception_handler(RequestValidationError, _validation_problem)
    api.add_exception_handler(HTTPException, _http_problem)
    api.add_exception_handler(Exception, _unknown_problem)


def problem(code: str, status: int, detail: str, **more: object) -> JSONResponse:
    """A problem document."""
    body = {"type": f"urn:doorward:problem:{code}", "title": TITLES.get(code, code), "status": status}
    wait = {"Retry-After": "1"} if status in COME_BACK else {}
    told = body | {"detail": detail} | more
    return JSONResponse(told, status, headers=HEADERS | wait, media_type="application/problem+json")


def _doorward_problem(request: Request, error: Exception) -> Response:
    assert isinstance(error, DoorwardError)
    status = STATUS.get(error.code, HTTPStatus.INTERNAL_SERVER_ERROR)
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        level = logging.CRITICAL if isinstance(error, Tampered) else logging.ERROR
        log.log(level, "request failed", extra={"code": error.code, "facts": error.facts})
    if wants_page(request):
        return problem_page(request, status=status, title=TITLES[error.code], detail=str(error))
    return problem(error.code, status, str(error))


def _validation_problem(_: Request, error: Exception) -> JSONResponse:
    """Which fields are wrong and why; what was sent is not sent back."""
    assert isinstance(error, RequestValidationError)
    faults = [{"field": ".".join(map(str, fault["loc"])), "why": fault["msg"]} for fault in error.errors()]
    return problem("invalid", HTTPStatus.UNPROCESSABLE_ENTITY, "Some fields cannot be used.", faults=faults)


def _http_problem(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    code = "not-found" if error.status_code == HTTPStatus.NOT_FOUND else "invalid"
    answer = problem(code, error.status_code, UNROUTED.get(error.status_code, str(error.detail)))
    answer.headers.update(error.headers or {})  # which methods there are
    return answer


def _unknown_problem(_: Request, error: Exception) -> JSONResponse:
    log.critical("unknown error", exc_info=error)
    return problem("internal", HTTPStatus.INTERNAL_SERVER_ERROR, "Nothing was kept. The log says where.")
