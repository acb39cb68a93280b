"""A day at the demo's site, lived in a process of its own that is killed at its end.

    python -m tests.journeys.day SITE EXPORT

Whatever it was told goes to standard output as JSON lines: the kind, and the bytes in base 64.
"""

import base64
import io
import json
import logging
import os
import signal
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
from faker import Faker
from fastapi.testclient import TestClient
from PIL import Image

from doorward.app.demo_cameras import car_scene, person_scene
from doorward.app.demo_site import CARS, EMPLOYEES, IMPOSTOR, STRANGE_CAR, furnish
from doorward.app.house import House, create_house
from doorward.app.wiring import build_api, build_worker
from doorward.audit.service import export, sign_head
from doorward.core.permissions import EVERY_SITE, system_actor
from doorward.people.service.first import make_first_link
from doorward.vault.model import Purpose
from doorward.vision.faces import enrol_template
from doorward.vision.faces.rendering import render_person
from doorward.vision.quality import assess

from .passing import pass_once

SITE = "/api/v1/sites/site_home"
NEWCOMERS = 4
FACES = (9, 12, 21, 47)


def say(kind: str, content: str | bytes) -> Any:
    """Tell the parent what the site is about to be told."""
    raw = content.encode() if isinstance(content, str) else content
    sys.stdout.write(json.dumps([kind, base64.b64encode(raw).decode()]) + "\n")
    return content


def say_face(drawing: int, moments: range) -> None:
    """The template of a face, of each picture and of their mean."""
    seen = [assess(render_person(drawing, moment=moment)).observation for moment in moments]
    templates = [one.template for one in seen if one is not None]
    for template in [*templates, enrol_template(templates)]:
        say("template", np.asarray(template, "<f4").tobytes())


def main(folder: Path, out: Path) -> None:
    """Live the day; never returns."""
    logging.basicConfig(level=logging.DEBUG, filename=folder.parent / "debug.log")
    house = create_house(folder)
    staffed = furnish(house)
    for one, card in staffed.cards.items():
        say("name", one.name)
        say("card", card)
        if one.drawing is not None:
            say_face(one.drawing, range(100, 103))
    for plate in (*CARS, STRANGE_CAR):
        say("plate", plate)
    pass_by_gates(house, {one.name: card for one, card in staffed.cards.items()})
    with TestClient(build_api(house), base_url="https://localhost") as client:
        sign_up(house, client)
        at_the_desk(house, client)
    worker = build_worker(house)
    while worker.turn():
        continue
    with house.unit(system_actor("console")) as unit:
        sign_head(unit, house.vault.signer(Purpose.AUDIT))
        export(unit, out)
    sys.stdout.flush()
    os.kill(os.getpid(), signal.SIGKILL)


def pass_by_gates(house: House, cards: dict[str, str]) -> None:
    """Everybody with a card, faces and cars by the cameras, strangers among them."""
    with house.unit() as unit:
        gates = {gate.name: gate for gate in house.post.plans.plan_of(unit).gates.values()}
    for card in (*cards.values(), say("card", "5544332211AABB")):
        pass_once(house, gates["Front door"], card=card)
        pass_once(house, gates["Way out"], card=card)
    drawn = [one for one in EMPLOYEES if one.drawing is not None]
    for one in (*drawn, IMPOSTOR):
        assert one.drawing is not None
        card = cards.get(one.name, cards[EMPLOYEES[0].name])
        say_face(one.drawing, range(18, 24))
        pass_once(house, gates["Workshop"], card=card, scene=person_scene(one.drawing, 3))
    for number, plate in enumerate((*CARS, STRANGE_CAR)):
        pass_once(house, gates["Car park"], scene=car_scene(plate, number))


def sign_up(house: House, client: TestClient) -> None:
    """The first administrator, by the front door; then the desk works with every right."""
    with house.database.unit(system_actor("start"), EVERY_SITE) as unit:
        token = make_first_link(unit, house.vault)
    assert token is not None
    body = {
        "token": say("one-time token", token),
        "login": say("login", "g.abernathy-quill"),
        "name": say("name", "Gwendolyn Abernathy-Quill"),
        "password": say("password", "pelican gravel ninefold lantern 41"),
    }
    answer = client.post("/api/v1/setup", json=body, headers={"X-Doorward-CSRF": "1"})
    assert answer.status_code < 300, answer.text
    for cookie in client.cookies.jar:
        say("session", str(cookie.value))
    client.cookies.clear()
    state: Any = client.app
    state.state.authenticate = lambda _: system_actor("desk")


def at_the_desk(house: House, client: TestClient) -> None:
    """Registering, enrolling, looking, exporting, mistyping and erasing over REST."""
    faker = Faker("en_GB")
    faker.seed_instance(11)
    made: list[str] = []
    for number in range(NEWCOMERS):
        made.append(newcomer(client, faker, number))
    visitor(house, client, faker, made[0])
    mistakes(client, faker)
    rollcall = send(client, "/roll-calls", {"reason": "drill"})
    client.get(f"{SITE}/roll-calls/{rollcall.get('id', 'x')}/page")
    assert client.delete(f"{SITE}/persons/{made[1]}").status_code < 300


def newcomer(client: TestClient, faker: Faker, number: int) -> str:
    """Somebody with name, ID number, card, code, car and face, looked at, searched and exported."""
    name = say("name", faker.unique.name())
    id_number = say("ID number", faker.unique.bothify("??######?").upper())
    body = {"name": name, "id_number": id_number, "basis": "contract", "notice_version": "1"}
    person = str(send(client, "/persons", body, must=True)["id"])
    number_of_card = say("card", faker.unique.bothify("################"))
    send(client, f"/persons/{person}/cards", {"number": number_of_card}, must=True)
    say("QR code", str(send(client, f"/persons/{person}/qr", {}, must=True)["token"]))
    plate = say("plate", faker.unique.bothify("???####").upper())
    label = say("label", f"car of {name}")
    send(client, "/vehicles", {"plate": plate, "label": label, "owner_id": person}, must=True)
    photos = [jpeg(FACES[number], moment) for moment in range(3)]
    say_face(FACES[number], range(3))
    files = [("photos", (f"{name}.jpg", say("picture", photo), "image/jpeg")) for photo in photos]
    form = {
        "basis": "consent",
        "notice": "1",
        "keep_photos": "true",
        "distinct_reason": say("reason", f"{name} drawn"),
    }
    enrolled = client.post(f"{SITE}/persons/{person}/face", files=files, data=form)
    for photo_id in enrolled.json().get("photo_ids", ()):
        token = send(client, f"/vault/photos/{photo_id}/grants", {"purpose": "check"}).get("token", "")
        shown = client.post(f"{SITE}/vault/views", json={"token": say("view token", str(token))})
        say("picture", shown.content)
    send(client, "/persons/search", {"name": name}, must=True)
    send(client, "/vehicles/search", {"plate": plate}, must=True)
    assert client.get(f"{SITE}/persons/{person}", params={"purpose": "reception"}).json()["name"] == name
    assert id_number in client.post(f"{SITE}/persons/{person}/export", json={"purpose": "access"}).text
    return person


def visitor(house: House, client: TestClient, faker: Faker, host: str) -> None:
    """Somebody expected tomorrow."""
    now = house.database.clock()
    body = {
        "name": say("name", faker.unique.name()),
        "host_id": host,
        "valid_from": now.isoformat(),
        "valid_until": (now + timedelta(hours=8)).isoformat(),
        "notice_version": "1",
    }
    send(client, "/visitors", body, must=True)


def mistakes(client: TestClient, faker: Faker) -> None:
    """Personal things where they do not belong: wrong fields, wrong files, wrong paths."""
    name = say("name", faker.unique.name())
    send(client, "/persons", {"name": name, "basis": "wrong", "surname": name})
    send(client, "/persons/search", {"name": name, "id_number": name})
    client.post(f"{SITE}/persons", content=f'{{"name": "{name}", '.encode())
    client.post(f"{SITE}/persons/person_x/face", files=[("photos", (name, name.encode(), "image/jpeg"))])
    client.get(f"{SITE}/persons/person_x", params={"purpose": name})
    send(client, "/vehicles", {"plate": f"{name} {name}"})


def send(client: TestClient, path: str, body: dict[str, Any], *, must: bool = False) -> dict[str, Any]:
    """A write, with a key so that its answer is kept for a repeat."""
    answer = client.post(f"{SITE}{path}", json=body, headers={"Idempotency-Key": os.urandom(12).hex()})
    assert not must or answer.status_code < 300, (path, answer.status_code, answer.text)
    content: dict[str, Any] = answer.json()
    return content


def jpeg(drawing: int, moment: int) -> bytes:
    """A photo as a phone would send it."""
    sent = io.BytesIO()
    Image.fromarray(render_person(drawing, moment=moment)[:, :, ::-1]).save(sent, "JPEG", quality=92)
    return sent.getvalue()


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
