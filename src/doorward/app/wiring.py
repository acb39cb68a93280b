"""Build the whole program from its open house: routes, jobs and schedule on one screen."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from importlib.metadata import version
from typing import Any

from fastapi import FastAPI, Request
from sqlalchemy import select

from doorward.app.board import routes as board_routes
from doorward.app.clockwatch import ClockWatch
from doorward.app.custody import next_custodian
from doorward.app.house import House
from doorward.app.keepers import keepers_of
from doorward.app.lanes import Lanes
from doorward.app.problems import install_problem_handlers
from doorward.app.proxies import Proxies
from doorward.app.schedule import Every, Worker, is_night
from doorward.app.shield import BodyLimit, add_headers
from doorward.app.warming import list_sites
from doorward.audit.api import routes as audit_routes
from doorward.audit.service import sign_head
from doorward.core.permissions import EVERY_SITE, Actor, Public
from doorward.gallery.api import ROUTES as GALLERY_ROUTES
from doorward.gallery.service import (
    CLEAR_FORGOTTEN,
    CLEAR_RETIRED,
    REKEY,
    clear_forgotten,
    clear_retired,
    follow_settings,
    go_on_by_job,
    sweep_blocks,
)
from doorward.gates.api import ROUTES as GATE_ROUTES
from doorward.gates.service import (
    Desk,
    end_lapsed_orders,
    forget_old,
    forget_subject,
    sweep_doors,
    sweep_permits,
    tell_away,
    tell_unreadable,
)
from doorward.people.api import ROUTES as PEOPLE_ROUTES
from doorward.people.api import STAFF_ROUTES, authenticate_request
from doorward.people.drivers.remote_decider import RemoteDecider
from doorward.people.pages import ROUTES as PAGES
from doorward.people.pages import STATIC
from doorward.people.service import end_visits, forget_gallery_changes
from doorward.people.service.approvals import few_looks, forget_ended_approvals, second_person
from doorward.people.service.deciding import FORGET_THERE, reconcile, tell_forgotten
from doorward.people.service.forgetting import SUBJECT_FORGOTTEN
from doorward.people.service.looking import looked_at
from doorward.people.service.passwords import Passwords
from doorward.people.service.sessions import forget_old_sign_ins
from doorward.platform.addresses import narrow_networks
from doorward.platform.db import Unit
from doorward.platform.idempotency import forget_answers
from doorward.platform.jobs import Handler, forget_done
from doorward.platform.pages import mount_static
from doorward.platform.web import Routes
from doorward.vault.api import ROUTES as VAULT_ROUTES
from doorward.vault.service import (
    FORGET_OBJECTS,
    LogCloser,
    Restorer,
    begin_due_lookups,
    begin_due_ratchets,
    forget_objects,
    sweep_objects,
    turn_half_done,
)
from doorward.vault.service.answers import AnswerSeals

health = Routes("", tag="health")
ROUTES = (
    health,
    audit_routes,
    *VAULT_ROUTES,
    *GALLERY_ROUTES,
    *GATE_ROUTES,
    *PEOPLE_ROUTES,
    *STAFF_ROUTES,
    *PAGES,
    board_routes,
)


def build_handlers(house: House) -> dict[str, Handler]:
    """Every background job by name."""
    return {
        FORGET_OBJECTS: lambda unit, facts: forget_objects(unit, house.vault, facts),
        SUBJECT_FORGOTTEN: forget_subject,
        CLEAR_FORGOTTEN: _job(lambda unit: clear_forgotten(unit, house.keyholder)),
        REKEY: _job(lambda unit: go_on_by_job(unit, house.keyholder)),
        CLEAR_RETIRED: _job(clear_retired),
        **_told_decider(house),
    }


def _told_decider(house: House) -> dict[str, Handler]:
    """What a decider elsewhere is told once the deed is kept."""
    decider = house.recogniser.matcher
    if not isinstance(decider, RemoteDecider):
        return {}
    return {FORGET_THERE: lambda unit, facts: tell_forgotten(unit, decider, facts["subject_ids"])}


def _job(deed: Callable[[Unit], Any]) -> Handler:
    """A job that needs no facts."""

    def handle(unit: Unit, _facts: dict[str, Any]) -> None:
        deed(unit)

    return handle


def build_schedule(house: House) -> dict[str, Every]:
    """What comes round by itself."""

    def every(deed: Callable[[Unit], Any], **interval: float) -> Every:
        return Every(timedelta(**interval), lambda unit, _facts: deed(unit))

    def once(deed: Callable[[Unit], Any], **interval: float) -> Every:
        return replace(every(deed, **interval), at_every_site=False)

    vault, post = house.vault, house.post
    movers = keepers_of(vault).movers

    closer, restorer, days = LogCloser(), Restorer(), house.settings.keys.lookup_days

    def close_log() -> None:
        closer.look(house.database)

    def turn_keys() -> None:
        turn_half_done(house.database, vault, movers)

    def restore_lookups() -> None:
        restorer.look(house.database, vault, movers)

    def replace_old_lookups(unit: Unit) -> None:
        if days and is_night(unit.now, post.plans.plan_of(unit).hours.time_zone):
            begin_due_lookups(unit, vault, movers, age=timedelta(days=days))

    return _rounds_of_decider(house) | {
        "audit.checkpoint": once(lambda unit: sign_head(unit, vault.audit_signer()), minutes=10),
        "gallery.follow_settings": every(lambda unit: follow_settings(unit, house.keyholder), minutes=1),
        "gallery.sweep_blocks": once(lambda unit: sweep_blocks(unit, house.keyholder), hours=1),
        "gates.end_lapsed_orders": every(lambda unit: end_lapsed_orders(unit, post), seconds=10),
        "gates.forget_old": every(lambda unit: forget_old(unit, post), hours=1),
        "gates.sweep_permits": every(lambda unit: sweep_permits(unit, post), seconds=10),
        "gates.sweep_doors": every(lambda unit: sweep_doors(unit, post), seconds=10),
        "gates.tell_unreadable": every(lambda unit: tell_unreadable(unit, house.recogniser), hours=1),
        "jobs.forget_done": once(forget_done, hours=1),
        "people.forget_gallery_changes": once(forget_gallery_changes, hours=1),
        "people.end_visits": every(lambda unit: end_visits(unit, house.recogniser), hours=1),
        "server.watch_clock": once(ClockWatch().look, seconds=10),
        "staff.forget_ended_approvals": once(forget_ended_approvals, hours=1),
        "staff.forget_old_sign_ins": once(forget_old_sign_ins, hours=1),
        "vault.close_log": Every(timedelta(seconds=1), errand=close_log, at_every_site=False),
        "vault.ratchet": once(lambda unit: begin_due_ratchets(unit, vault, movers), seconds=10),
        "vault.replace_old_lookups": once(replace_old_lookups, minutes=5),
        "vault.restore_lookups": Every(timedelta(seconds=1), errand=restore_lookups, at_every_site=False),
        "vault.turn_keys": Every(timedelta(seconds=1), errand=turn_keys, at_every_site=False),
        "vault.sweep_objects": once(lambda unit: sweep_objects(unit, vault), hours=1),
        "web.forget_answers": once(forget_answers, hours=1),
    }


def _rounds_of_decider(house: House) -> dict[str, Every]:
    """What comes round where a decider elsewhere holds the gallery."""
    decider = house.recogniser.matcher
    if not isinstance(decider, RemoteDecider):
        return {}

    def look(unit: Unit, _facts: dict[str, Any]) -> None:
        tell_away(unit, house.recogniser)

    def put_right(unit: Unit, _facts: dict[str, Any]) -> None:
        reconcile(unit, decider)

    return {
        "gates.tell_away": Every(timedelta(seconds=10), look),
        "people.reconcile_decider": Every(timedelta(hours=1), put_right),
    }


def build_worker(house: House) -> Worker:
    """The thread that keeps promises."""
    schedule = build_schedule(house)
    return Worker(house.database, house.site_id, build_handlers(house), schedule, sites=list_sites)


def build_api(house: House) -> FastAPI:
    """The REST API and the pages, with one place that turns errors into answers."""
    api = FastAPI(
        title="Doorward",
        version=version("doorward"),
        openapi_url="/api/v1/openapi.json",
        docs_url=None,
        redoc_url=None,
    )
    state = api.state
    state.database, state.settings, state.vault = house.database, house.settings, house.vault
    state.keyholder, state.recogniser, state.post = house.keyholder, house.recogniser, house.post
    state.answer_sealer = AnswerSeals(house.vault)
    state.passwords = Passwords()
    vault = house.vault
    state.keepers, state.second_person = keepers_of(vault), second_person
    state.looks = lambda unit, ids: looked_at(unit, few_looks(state.settings.four_eyes), ids)
    state.next_custodian = lambda phrase: next_custodian(house.settings, vault, passphrase=phrase)
    state.desk = Desk(house.database, house.post)
    state.site_id = house.site_id
    state.authenticate = authenticate_request
    for routes in ROUTES:
        api.include_router(routes.router)
    mount_static(api, STATIC)
    api.add_middleware(BodyLimit)  # inside the next one: its refusals carry the headers too
    api.middleware("http")(add_headers)
    api.add_middleware(Lanes, public=[path for routes in ROUTES for path in routes.public])
    proxies = narrow_networks(house.settings.web.trusted_proxies or "")
    if proxies:
        api.add_middleware(Proxies, trusted=proxies)  # outermost: lanes count senders
    install_problem_handlers(api)
    return api


@health.get("/health", needs=Public(because="load balancers have no account"))
def get_health(request: Request) -> dict[str, str]:
    """Whether the database answers."""
    with request.app.state.database.reading(Actor("health"), EVERY_SITE) as unit:
        unit.rows.scalar(select(1))
        return {"status": "ok"}
