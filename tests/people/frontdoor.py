"""A server with the staff routes only, wired as the house wires it."""

from fastapi import FastAPI, Request, Response
from fastapi.testclient import TestClient

from doorward.app.problems import install_problem_handlers
from doorward.app.shield import add_headers
from doorward.people.api import account, api_keys, approvals, authenticate_request, sign_in, staff
from doorward.people.pages import ROUTES as PAGES
from doorward.people.pages import STATIC
from doorward.platform.pages import Pages, mount_static
from doorward.platform.settings import Settings, Web
from doorward.vault.service.answers import AnswerSeals
from tests.people.staffroom import Staffroom

ORIGIN = "https://localhost:8443"
OWN_HEADERS = {"X-Doorward-CSRF": "1"}
ROUTES = (sign_in.routes, account.routes, staff.routes, api_keys.routes, approvals.routes)


def front_door(room: Staffroom, port: int = 8443) -> FastAPI:
    api = FastAPI()
    api.state.database, api.state.vault, api.state.passwords = room.database, room.vault, room.passwords
    api.state.answer_sealer, api.state.settings = AnswerSeals(room.vault), Settings(web=Web(port=port))
    api.state.authenticate = authenticate_request
    install_problem_handlers(api)
    api.middleware("http")(add_headers)
    for routes in (*ROUTES, *PAGES):
        api.include_router(routes.router)
    mount_static(api, STATIC)

    @api.get("/", include_in_schema=False)
    def home(request: Request) -> Response:
        return Pages("doorward.platform").answer(request, "problem.html", title="Home", detail="You are in.")

    return api


def visitor(api: FastAPI) -> TestClient:
    return TestClient(api, base_url=ORIGIN, headers=OWN_HEADERS, follow_redirects=False)
