"""Hostile bytes over HTTP: each gets one clear refusal, and the server stays up and small."""

import io
import json
import struct
import zlib
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from itertools import cycle
from typing import Any

import httpx
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from PIL import Image

from doorward.core.encoding import to_text
from doorward.core.wire import Kind, Outcome, Sighting, seal_message, sign
from tests.faults.junk import BODIES, IN_A_URL, JUNK, filled, places, replaced, shapes
from tests.faults.pictures import portrait
from tests.faults.processes import SITE_ID, Running
from tests.faults.site import AGENT, AGENT_KEY, CARD, GATE, Site

JSON = {"Content-Type": "application/json"}
PROBLEM = "application/problem+json"
MOST_GROWTH = 400 << 20
NOW = datetime.now(UTC)
OTHER_WAYS = ("outcomes", "door-states", "requests", "commanded")
MOST_PLACES = 4  # of each body; together they meet every sort of junk many times


def is_clear(answer: httpx.Response) -> bool:
    """A refusal in our form that says what to do."""
    if answer.status_code not in range(400, 500) or answer.headers["content-type"] != PROBLEM:
        return False
    told = answer.json()
    return told["status"] == answer.status_code and bool(told["title"]) and told["detail"].endswith(".")


def bomb(width: int, height: int) -> bytes:
    """A PNG of a few kilobytes that unpacks to very many pixels."""

    def chunk(name: bytes, body: bytes) -> bytes:
        return struct.pack("!I", len(body)) + name + body + struct.pack("!I", zlib.crc32(name + body))

    rows = zlib.compress(bytes(1 + width // 8) * height, 9)
    header = struct.pack("!IIBBBBB", width, height, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def with_exif(content: bytes) -> bytes:
    """A photo whose EXIF block is made to hurt."""
    out = io.BytesIO()
    Image.new("RGB", (64, 64), "red").save(out, "JPEG", exif=b"Exif\x00\x00" + content)
    return out.getvalue()


PHOTOS = {
    "cut.jpg": portrait()[:2000],
    "bomb.png": bomb(20_000, 20_000),
    "archive.zip": b"PK\x03\x04" + bytes(5000),
    "letter.txt": b"Dear Sir or Madam,\n" * 100,
    "empty.jpg": b"",
    "noise.jpg": bytes(range(256)) * 40,
    "script.svg": b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>",
    "loop.jpg": with_exif(b"II*\x00\x08\x00\x00\x00\x01\x00\x12\x01\x03\x00\xff\xff\xff\xff" + b"\x08" * 40),
    "deep.jpg": with_exif(b"MM\x00*" + b"\xff" * 4000),
}


def enrol(server: Running, site: Site, photos: list[tuple[str, bytes]], **fields: str) -> httpx.Response:
    return server.client.post(
        f"/api/v1/sites/{SITE_ID}/persons/{site.facts.person_id}/face",
        data={"basis": "consent", "notice": "1"} | fields,
        files=[("photos", (name, content, "image/jpeg")) for name, content in photos],
    )


def test_no_photo_however_hostile_does_more_than_be_refused_with_its_reason(site: Site) -> None:
    with site.serving() as server:
        assert server.client.get("/health").status_code == 200
        before = server.peak_bytes()
        answer = enrol(server, site, list(PHOTOS.items()))
        assert (answer.status_code, answer.json()["enrolled"]) == (200, False), answer.text
        told = dict(zip(PHOTOS, answer.json()["photos"], strict=True))
        assert not any(photo["accepted"] for photo in told.values())
        assert all(photo["reason"].endswith(".") for photo in told.values())
        assert "40 megapixels" in told["bomb.png"]["reason"]
        assert "damaged or cut short" in told["cut.jpg"]["reason"]
        assert "empty" in told["empty.jpg"]["reason"]
        assert server.peak_bytes() - before < MOST_GROWTH
        assert site.permit(server.ask(site.sighting())).opens


def test_a_form_that_is_none_too_large_or_too_full_is_refused(site: Site) -> None:
    path = f"/api/v1/sites/{SITE_ID}/persons/{site.facts.person_id}/face"
    form = {"Content-Type": "multipart/form-data; boundary=x"}
    with site.serving() as server:
        before = server.peak_bytes()
        post = server.client.post
        refused = [
            post(path, json={"photos": []}),
            post(path, content=b"no form at all", headers={"Content-Type": "image/jpeg"}),
            post(path, content=b"--x\r\nnot framed", headers=form),
            post(path, content=b"", headers=form),
            post(path, content=b"--y--", headers={"Content-Type": "multipart/form-data"}),
            enrol(server, site, []),
            enrol(server, site, [("a.jpg", portrait())] * 11),
            enrol(server, site, [("a.jpg", portrait())], basis="because"),
            post(path, content=bytes(33 << 20), headers=form),
        ]
        assert [answer.status_code for answer in refused] == [422] * 8 + [413]
        assert all(is_clear(answer) for answer in refused)
        with suppress(httpx.TransportError):  # who does not stop sending may not hear the refusal
            endless = post(path, content=(bytes(1 << 20) for _ in range(40)), headers=form)
            assert endless.status_code == 413 and is_clear(endless)
        assert [line for line in server.log() if "error" in line] == []
        assert server.peak_bytes() - before < MOST_GROWTH
        assert site.permit(server.ask(site.sighting())).opens


def hostile_bodies(schema: Any, form: Any, url: str, junk: Iterator[Any], raw: bytes) -> list[dict[str, Any]]:
    """One body that is no JSON, one of another type, and some with junk in one place each."""
    good = shapes(schema, form["schema"])
    made = [{"url": url, "content": raw, "headers": JSON}]
    made.append({"url": url, "content": json.dumps(good), "headers": {"Content-Type": "text/plain"}})
    for place in list(places(good))[:MOST_PLACES]:
        content = json.dumps(replaced(good, place, next(junk)))
        made.append({"url": url, "content": content, "headers": JSON})
    return made


def test_every_route_answers_junk_with_a_clear_refusal(site: Site) -> None:
    junk, urls, bodies = cycle(JUNK), cycle(IN_A_URL), cycle(BODIES)
    with site.serving() as server:
        schema = server.client.get("/api/v1/openapi.json").json()
        before, wrong = server.peak_bytes(), []
        for path, deeds in schema["paths"].items():
            for method, deed in deeds.items():
                asked = [{"url": filled(path, next(urls), site=SITE_ID)} if "{" in path else {"url": path}]
                here = filled(path, site=SITE_ID)
                for wanted in deed.get("parameters", []):
                    if wanted["in"] == "query":
                        value = str(next(junk)).encode(errors="replace").decode()[:5000]
                        asked.append({"url": here, "params": {wanted["name"]: value}})
                form = deed.get("requestBody", {}).get("content", {}).get("application/json")
                asked += hostile_bodies(schema, form, here, junk, next(bodies)) if form else []
                for request in asked:
                    answer = server.client.request(method, **request)
                    if answer.status_code >= 500 or (answer.status_code >= 400 and not is_clear(answer)):
                        wrong.append((method, request, answer.text[:200]))
        assert wrong == []
        assert server.peak_bytes() - before < MOST_GROWTH
        assert [line for line in server.log() if "error" in line] == []
        assert site.permit(server.ask(site.sighting(number=2**40))).opens
    assert site.verified().size > 0


def test_messages_that_no_agent_meant_are_refused_told_of_and_open_nothing(site: Site) -> None:
    good, fresh = site.sighting().to_json(), site.sighting()
    elsewhere = Sighting(agent_id=AGENT, gate_id="gate_other", sequence=5, seen_at=NOW, card=CARD)
    spoken_for = Sighting(agent_id="agent_other", gate_id=GATE, sequence=6, seen_at=NOW, card=CARD)
    outcome = Outcome(permit_id="permit_none", gate_id=GATE, moved=True, at=NOW)
    raw = sign(AGENT_KEY, AGENT, Kind.SIGHTING, b'{"kind":"sighting"')
    wild = sign(AGENT_KEY, AGENT, Kind.SIGHTING, fresh.body.replace(b'"sequence":2', b'"sequence":-2'))
    denied = [
        {**good, "signature": to_text(bytes(64))},
        {**good, "signature": "AA"},
        {**good, "signer_id": "agent_nobody"},
        {**good, "signer_id": "agent\n1"},
        {**good, "body": to_text(b"other words")},
        sign(AGENT_KEY, AGENT, Kind.OUTCOME, fresh.body).to_json(),
        seal_message(Ed25519PrivateKey.generate(), AGENT, outcome).to_json(),
        site.sign(elsewhere).to_json(),
        site.sign(spoken_for).to_json(),
    ]
    invalid = [raw.to_json(), wild.to_json(), {**good, "body": "no base 64!"}, {**good, "body": "A" * 40_000}]
    with site.serving() as server:
        answers = [server.post("/edge/sightings", body) for body in (*denied, *invalid)]
        assert [answer.status_code for answer in answers] == [403] * len(denied) + [422] * len(invalid)
        journal = {"entries": [denied[0]]}
        answers += [server.post("/edge/journal", journal), server.post("/edge/journal", {"entries": []})]
        answers += [server.post(f"/edge/{where}", denied[0]) for where in OTHER_WAYS]
        assert all(is_clear(answer) for answer in answers)
        assert answers[len(denied) + len(invalid)].status_code == 403
        assert {answer.status_code for answer in answers[-len(OTHER_WAYS) :]} == {403}
        assert site.permit(server.ask(site.sighting())).opens
    assert len(site.passages()) == 1
    assert site.events().count("agent.message-refused") == len(denied) + 1 + len(OTHER_WAYS)
