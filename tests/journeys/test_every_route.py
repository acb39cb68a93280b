"""Every route is called by nobody, by somebody without its right, and from a wrong site."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute
from fastapi.testclient import TestClient

from doorward.app.house import create_house
from doorward.app.wiring import ROUTES, build_api
from doorward.core.permissions import EVERY_RIGHT, Actor, Permission

HERE = "site_home"
ELSEWHERE = "site_elsewhere"
LISTED = [
    (method, route.path, (route.openapi_extra or {}).get("x-needs", ""))
    for routes in ROUTES
    for route in routes.router.routes
    if isinstance(route, APIRoute)
    for method in route.methods or ()
]
GUARDED = [one for one in LISTED if one[2] in set(Permission)]


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FastAPI]:
    house = create_house(Path(tmp_path_factory.mktemp("routes")) / "site")
    yield build_api(house)
    house.close()


def call(api: FastAPI, method: str, path: str, site: str, actor: Actor | None = None) -> int:
    if actor is not None:
        api.state.authenticate = lambda _: actor
    filled = "/".join(
        (site if part == "{site_id}" else "thing_x") if part.startswith("{") else part
        for part in path.split("/")
    )
    client = TestClient(api, base_url="https://testserver", raise_server_exceptions=False)
    return client.request(method, filled, headers={"Accept": "application/json"}).status_code


def test_there_are_routes_and_each_names_what_it_needs() -> None:
    assert len(GUARDED) > 60
    assert all(needs for _, _, needs in LISTED)


def test_public_routes_are_few_and_known() -> None:
    public = {path for _, path, needs in LISTED if needs.startswith("Public")}
    assert {path for path in public if not path.startswith(("/sign-in", "/api/v1/sign-in"))} <= {
        "/health",
        "/setup",
        "/welcome",
        "/api/v1/welcome",
        "/api/v1/setup",
        "/sign-out",
        "/api/v1/sign-out",
    }


@pytest.mark.parametrize(("method", "path", "needs"), GUARDED)
def test_a_guarded_route_refuses_whoever_may_not(api: FastAPI, method: str, path: str, needs: str) -> None:
    known = api.state.authenticate
    assert call(api, method, path, HERE) == 401
    lacking = EVERY_RIGHT - {Permission(needs)}
    where = HERE if "{site_id}" in path else "*"
    assert call(api, method, path, HERE, Actor("staff_x", {where: lacking})) == 403
    if "{site_id}" in path:
        assert call(api, method, path, ELSEWHERE, Actor("staff_x", {HERE: EVERY_RIGHT})) == 404
    api.state.authenticate = known
