"""Heads of requests that no honest program sends are refused before anything reads them."""

from collections import Counter
from http import HTTPStatus

from starlette.types import ASGIApp, Scope

from doorward.app.problems import problem

LONGEST_ADDRESS = 8 * 1024
LONGEST_HEAD = 16 * 1024
# Two of these would leave it to chance which one counts.
ONCE = frozenset(
    {b"host", b"authorization", b"content-length", b"content-type", b"idempotency-key", b"origin", b"cookie"}
)


def refusal_of(scope: Scope) -> ASGIApp | None:
    """The answer to a head that is too long or contradicts itself; None for a good one."""
    headers: list[tuple[bytes, bytes]] = scope["headers"]
    if len(scope.get("raw_path") or b"") + len(scope["query_string"]) > LONGEST_ADDRESS:
        return problem("invalid", HTTPStatus.REQUEST_URI_TOO_LONG, "The address is too long.")
    if sum(len(name) + len(value) for name, value in headers) > LONGEST_HEAD:
        words = "The head of the request is too long."
        return problem("invalid", HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, words)
    twice = [
        name for name, count in Counter(name for name, _ in headers).items() if count > 1 and name in ONCE
    ]
    if twice:
        return problem("invalid", HTTPStatus.BAD_REQUEST, f"Send {twice[0].decode()} once.")
    return None
