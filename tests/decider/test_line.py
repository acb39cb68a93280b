"""What travels between a server and its decider, and what neither believes."""

import json
import re
import socket
import ssl
import threading
from contextlib import closing
from pathlib import Path

import httpx
import numpy as np
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from sqlalchemy import text

from doorward.app.decider.keys import public_keys_of
from doorward.app.tables import METADATA
from doorward.core.clock import system_clock
from doorward.core.encoding import to_text
from doorward.core.errors import Invalid, Unavailable
from doorward.core.wire import seal_face
from doorward.core.wire.deciding import LARGEST, EnrolFaces, OneSite, written
from doorward.gallery.drivers.signed_line import FarSide, SignedLine
from doorward.gallery.model import Doubt
from doorward.matching import messages
from doorward.matching.messages_signed import NO_EPOCH, PROOF_HEADER, read_answer, sign_request
from doorward.people.drivers.remote_decider import SAID, RemoteDecider
from doorward.vault.model import Purpose
from tests.conftest import SITE
from tests.decider.world import Running, Site, apart, configure, new_site, run
from tests.journeys import traces
from tests.matcher.test_driver import client_certificate
from tests.people.office import direction, near

COUNT = written(OneSite(SITE, None))


class Raw:
    """Requests byte by byte, past the driver, with the server's own key."""

    def __init__(self, running: Running, site: Site) -> None:
        self.key = site.house.vault.signing_key(Purpose.DECIDER)
        self.public, _ = public_keys_of(running.facts["public_key"])
        trust = ssl.create_default_context(cafile=running.facts["certificate"])
        trust.verify_flags &= ~ssl.VERIFY_X509_STRICT
        trust.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
        self.client = httpx.Client(base_url=running.facts["url"], verify=trust, trust_env=False, timeout=30)
        self.epoch = NO_EPOCH
        request = self.signed("count", COUNT)
        answer = self.send("count", request.header, COUNT)
        assert answer.status_code == 409
        self.epoch = read_answer(answer.headers[PROOF_HEADER], self.public, request, 409, answer.content)

    def signed(self, name: str, body: bytes, *, key: Ed25519PrivateKey | None = None):  # type: ignore[no-untyped-def]
        public = self.public.public_bytes_raw()
        return sign_request(key or self.key, public, self.epoch, f"/v1/{name}", body, now=system_clock())

    def send(self, name: str, header: str, body: bytes) -> httpx.Response:
        return self.client.post(f"/v1/{name}", content=body, headers={PROOF_HEADER: header})

    def post(self, name: str, body: bytes, *, key: Ed25519PrivateKey | None = None) -> tuple[int, str]:
        answer = self.send(name, self.signed(name, body, key=key).header, body)
        return answer.status_code, messages.decode_fault(answer.content)


def test_a_request_counts_once_and_in_one_epoch(running: Running, site: Site) -> None:
    raw = Raw(running, site)
    with closing(raw.client):
        request = raw.signed("count", COUNT)
        assert raw.send("count", request.header, COUNT).status_code == 200
        again = raw.send("count", request.header, COUNT)
        assert (again.status_code, messages.decode_fault(again.content)) == (401, "stale")
        other = raw.send("count", request.header, written(OneSite("site_other", None)))
        assert other.status_code in (400, 401)
        elsewhere = raw.send("list", request.header, COUNT)
        assert (elsewhere.status_code, messages.decode_fault(elsewhere.content)) == (401, "unknown")
    running.kill()
    running.start()
    later = Raw(running, site)
    with closing(later.client):
        assert later.send("count", request.header, COUNT).status_code == 409


@pytest.mark.parametrize(
    ("name", "body", "fault"),
    [
        ("enrol", bytes(LARGEST + 1), (413, "too-large")),
        ("enrol", b"[]", (400, "invalid")),
        ("identify", b'{"site_id":"s"}', (400, "invalid")),
        ("identify", b"\xff" * 100, (400, "invalid")),
        ("enrol", written(EnrolFaces(SITE, "x", ())).replace(b"[]", b"[{}]"), (400, "invalid")),
        ("verify", b"[" * 5000, (400, "invalid")),
        ("nothing", b"", (404, "no-such-path")),
    ],
)
def test_what_it_cannot_read_it_refuses_at_once(
    running: Running, site: Site, name: str, body: bytes, fault: tuple[int, str]
) -> None:
    raw = Raw(running, site)
    with closing(raw.client):
        assert raw.post(name, body) == fault
        assert raw.send("count", raw.signed("count", COUNT).header, COUNT).status_code == 200


def test_keys_that_nobody_pinned_are_refused(running: Running, site: Site) -> None:
    raw, stranger = Raw(running, site), Ed25519PrivateKey.generate()
    with closing(raw.client):
        assert raw.post("count", COUNT, key=stranger) == (401, "unknown")
        assert raw.client.post("/v1/count", content=COUNT).status_code == 401


@pytest.mark.parametrize("wrong", ["server", "decider", "face"])
def test_a_server_that_pinned_or_holds_other_keys_finds_nobody(
    running: Running, site: Site, seed: int, wrong: str
) -> None:
    site.known(seed)
    public, face_key = public_keys_of(running.facts["public_key"])
    if wrong == "decider":
        public = Ed25519PrivateKey.generate().public_key()
    if wrong == "face":
        face_key = new_face_key()
    stranger, own = Ed25519PrivateKey.generate(), site.house.vault.signing_key(Purpose.DECIDER)
    line = line_to(running, public, stranger if wrong == "server" else own)
    asking = RemoteDecider(line, face_key)
    said = {"server": "does not know this server", "decider": "hold its key|not know", "face": "another key"}
    with closing(asking), site.unit() as unit:
        assert asking.identify(unit, near(seed, 3), one_in=1000) is None
        assert asking.doubt(unit) is Doubt.DECIDER_AWAY
        with pytest.raises(Unavailable, match=said[wrong]):
            asking.enrol(unit, {"person_0000000000000001": near(seed, 4)})


def new_face_key() -> bytes:
    return Ed25519PrivateKey.generate().public_key().public_bytes_raw()  # 32 bytes on some curve


def line_to(running: Running, public: Ed25519PublicKey, key: Ed25519PrivateKey) -> SignedLine:
    far = FarSide(
        url=running.facts["url"],
        public_key=public,
        certificate=Path(running.facts["certificate"]),
        timeout_seconds=30,
    )
    return SignedLine(far, lambda: key, system_clock, name="decider", said=SAID)


def test_an_answer_tells_an_id_and_nothing_of_how_like(running: Running, site: Site, seed: int) -> None:
    person_id = site.known(seed)
    key = site.house.vault.signing_key(Purpose.DECIDER)
    line = line_to(running, public_keys_of(running.facts["public_key"])[0], key)
    heard: list[bytes] = []

    class Listening:
        def ask(self, name: str, body: bytes, longest: int, *, seconds: float | None = None) -> bytes:
            heard.append(line.ask(name, body, longest, seconds=seconds))
            return heard[-1]

        def close(self) -> None:
            line.close()

    asking = RemoteDecider(Listening(), site.decider.face_key())
    with closing(asking), site.unit() as unit:
        for shot in range(5):
            assert asking.identify(unit, near(seed, shot), one_in=1000) == person_id
            assert asking.identify(unit, direction(seed + 400_000 + shot), one_in=1000) is None
    assert len(set(heard)) == 2
    assert len({len(one) for one in heard}) == 1
    assert {frozenset(json.loads(one)) for one in heard} == {frozenset({"subject_id", "doubt"})}


class Relay:
    """Hands bytes on between a server and a decider, and keeps them."""

    def __init__(self, port: int) -> None:
        self.heard = bytearray()
        self._there = port
        self._door = socket.create_server(("127.0.0.1", 0))
        self.port = self._door.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                here, _ = self._door.accept()
            except OSError:
                return
            there = socket.create_connection(("127.0.0.1", self._there))
            for source, sink in ((here, there), (there, here)):
                threading.Thread(target=self._carry, args=(source, sink), daemon=True).start()

    def _carry(self, source: socket.socket, sink: socket.socket) -> None:
        try:
            while part := source.recv(65536):
                self.heard += part
                sink.sendall(part)
        except OSError:
            pass
        finally:
            for one in (source, sink):
                one.close()

    def close(self) -> None:
        self._door.close()


def test_a_day_of_traffic_and_a_stolen_server_show_no_template(tmp_path: Path) -> None:
    """Without TLS even, and with the server's keys at hand: only the decider can open a face."""
    with apart(tmp_path, tls=False) as (running, first):
        first.house.close()
        with closing(Relay(int(running.facts["url"].rsplit(":", 1)[1]))) as relay:
            told = running.settings(timeout_seconds=30.0)
            there = f"http://127.0.0.1:{relay.port}"
            configure(tmp_path / "site", re.sub(r'url = "[^"]*"', f'url = "{there}"', told))
            site = Site(tmp_path / "site")
            people = {seed: site.known(seed) for seed in range(1, 5)}
            assert [site.passes(seed) for seed in people] == ["granted"] * 4
            assert site.passes(99) == "unknown"
            site.forget(people[1])
            assert site.jobs() == 2
            assert site.passes(1) == "unknown"
            dump = dumped(site)
            site.house.close()
        traffic = bytes(relay.heard)
    assert people[2].encode() in traffic  # the relay does hear
    seen = [direction(seed) for seed in people] + [near(seed, 9) for seed in people]
    files = {path.name: path.read_bytes() for path in (tmp_path / "site").rglob("*") if path.is_file()}
    assert "doorward.db" in files
    for template in seen:
        for form in traces.of_template(np.asarray(template)):
            assert form not in traffic
            assert form not in dump
            assert not [name for name, held in files.items() if form in held]


def dumped(site: Site) -> bytes:
    """Every row of the server's database, decrypted, once it was seen to hold no gallery and no template."""
    with site.unit() as unit:
        kept = unit.rows.execute(text("SELECT template FROM people_templates")).scalars().all()
        assert kept and set(kept) == {b""}
        for table in ("gallery_generations", "gallery_blocks", "gallery_places", "gallery_templates"):
            assert unit.rows.scalar(text(f"SELECT count(*) FROM {table}")) == 0
        keys = unit.rows.execute(text("SELECT subject_id FROM vault_subject_keys")).scalars().all()
        assert not [key for key in keys if key.startswith(("seal_", "rotation_", "face_"))]
        rows = [unit.rows.execute(text(f"SELECT * FROM {name}")).all() for name in METADATA.tables]
    blobs = [value for table in rows for row in table for value in row if isinstance(value, bytes)]
    return b"".join(blobs) + repr(rows).encode()


def test_what_would_lay_it_open_stops_the_start(tmp_path: Path) -> None:
    key = new_site(tmp_path / "site")
    made = run("init", tmp_path / "decider", "--server", key, "--host", "0.0.0.0")
    assert made.returncode == 0, made.stderr
    config = tmp_path / "decider" / "doorward.toml"
    sound = config.read_text()
    assert run("init", tmp_path / "decider", "--server", key).returncode == 6
    config.write_text(sound.replace("[web]\n", "[web]\ntls = false\n"))
    refused = run("serve", tmp_path / "decider")
    assert (refused.returncode, "loopback only" in refused.stderr) == (4, True)
    config.write_text(re.sub(r"servers = .*", "servers = []", sound))
    assert run("serve", tmp_path / "decider").returncode == 2
    config.write_text(re.sub(r"servers = .*", 'servers = ["no key"]', sound))
    assert run("serve", tmp_path / "decider").returncode == 2
    config.write_text(sound)
    config.chmod(0o666)
    assert run("serve", tmp_path / "decider").returncode == 2
    assert run("serve", tmp_path / "site").returncode == 2
    assert run("init", tmp_path / "other", "--server", "no key").returncode == 2


def test_a_client_certificate_where_one_is_asked(tmp_path: Path) -> None:
    certificate, key = client_certificate(tmp_path, "server")
    with apart(tmp_path, client_authority=str(certificate)) as (running, first):
        with pytest.raises(Unavailable):
            first.faces()
        first.house.close()
        shown = {"client_certificate": str(certificate), "client_key": str(key)}
        configure(tmp_path / "site", running.settings(timeout_seconds=30.0, **shown))
        second = Site(tmp_path / "site")
        with closing(second.house):
            assert second.faces() == 0


def test_a_text_that_is_no_pair_of_keys_is_refused() -> None:
    for word in ("", "AAAA", to_text(bytes(63)), "ü"):
        with pytest.raises(Invalid):
            public_keys_of(word)


def test_a_face_to_enrol_is_bound_to_whose_it_is(running: Running, site: Site, seed: int) -> None:
    """Whoever could change a request's body, and sign it, still cannot give a face to somebody else."""
    key_id, sealed = seal_face(site.decider.face_key(), direction(seed).tobytes(), b"another place")
    body = written(EnrolFaces(SITE, "x", ()))
    face = json.dumps({"key_id": to_text(key_id), "sealed": to_text(sealed), "subject_id": "person_x"})
    raw = Raw(running, site)
    with closing(raw.client):
        assert raw.post("enrol", body.replace(b"[]", f"[{face}]".encode())) == (422, "tampered")
    assert site.missing(["person_x"]) == ["person_x"]
