"""docs/reference/routes.md."""

from collections import defaultdict
from collections.abc import Iterator
from typing import NamedTuple

from fastapi.routing import APIRoute

from doorward.app.reference.markdown import code, ended, first_line, headed, table
from doorward.app.wiring import ROUTES
from doorward.core.permissions import Permission
from doorward.platform.web import API_PREFIX

LEAD = (
    f"REST lies under `{API_PREFIX}` and is described to programs at `{API_PREFIX}/openapi.json`; the other "
    "paths are pages. A path with `{site_id}` needs its right at that site, any other at every site.",
    "Errors are problem documents (RFC 9457). A write with the header `Idempotency-Key` (8 to 200 "
    "characters) is done once, and a repeat is answered alike, with 409 if the answer told a secret "
    "(those are told once), or with 404 if whoever it was about was erased since. Long lists come in pages: "
    "`limit` (at most 200) and `cursor`, whose next value is `next_cursor`.",
)


class Route(NamedTuple):
    """One method of one path."""

    tag: str
    method: str
    path: str
    needs: str
    summary: str


def page() -> str:
    """Every route with the right it needs, or why it needs none."""
    by_tag: dict[str, list[Route]] = defaultdict(list)
    for route in all_routes():
        by_tag[route.tag].append(route)
    lines = headed("Routes", *LEAD)
    for tag in sorted(by_tag):
        rows = [
            (one.method, code(one.path), _needs(one.needs), one.summary)
            for one in sorted(by_tag[tag], key=lambda one: (one.path, one.method))
        ]
        lines += [f"## {tag}", "", *table(["method", "path", "needs", "what"], rows), ""]
    return ended(lines)


def all_routes() -> Iterator[Route]:
    """Every route of the house."""
    for routes in ROUTES:
        for route in routes.router.routes:
            if not isinstance(route, APIRoute):
                continue
            needs = str((route.openapi_extra or {}).get("x-needs", ""))
            tag = str(next(iter(route.tags), "other"))
            for method in sorted(route.methods or ()):
                yield Route(tag, method, route.path, needs, first_line(route.endpoint.__doc__))


def _needs(text: str) -> str:
    """A right as it is named; for others who may call, and why: `Public(because='...')` as words."""
    if text in set(Permission):
        return code(text)
    kind, _, because = text.partition("(because=")
    who = "anybody" if kind == "Public" else "whoever is signed in"
    return f"{who}: {because[1:-2]}"
