"""The two cookies we set, as strict as browsers allow."""

from fastapi import Request, Response

SESSION_COOKIE = "__Host-doorward"
FORM_COOKIE = "__Host-doorward-form"
DEVICE_COOKIE = "__Host-doorward-known"
DEVICE_DAYS = 400


def set_cookie(response: Response, name: str, value: str, *, days: int | None = None) -> None:
    """A cookie of this very host, unreadable by scripts, never sent along from another site.

    It ends with the browser, unless it is kept for some days.
    """
    seconds = days * 86_400 if days else None
    response.set_cookie(name, value, path="/", secure=True, httponly=True, samesite="strict", max_age=seconds)


def clear_cookie(response: Response, name: str) -> None:
    """Take it back."""
    response.delete_cookie(name, path="/", secure=True, httponly=True, samesite="strict")


def peer_address(request: Request) -> str | None:
    """The address of the sender: the other end of the connection, or whom a trusted proxy names."""
    return request.client.host if request.client else None
