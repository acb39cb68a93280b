"""What the server makes of a matcher that lies, of one on the way to it, and of none."""

import http.server
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.x509.oid import NameOID

from doorward.core.clock import system_clock
from doorward.core.errors import Invalid, Tampered, Unavailable
from doorward.core.tls import ensure_certificate
from doorward.gallery.model import Wanted
from tests.matcher.world import Decider, Running, same, serving

Changes = dict[str, Any]


@contextmanager
def between(running: Running, change: Changes) -> Iterator[str]:
    """Somebody on the line who hands everything on, as `change` says."""
    past: list[tuple[int, dict[str, str], bytes]] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            body = change.get("body", lambda raw: raw)(body)
            proof = {"doorward-proof": self.headers["doorward-proof"]}
            said = httpx.post(
                f"http://127.0.0.1:{running.port}{self.path}", content=body, headers=proof, trust_env=False
            )
            headers = {k: v for k, v in said.headers.items() if k == "doorward-proof"}
            past.append((said.status_code, headers, said.content))
            status, headers, content = change.get("answer", lambda *all_: past[-1])(past)
            self.send_response(status)
            for name, value in ({} if "bare" in change else headers).items():
                self.send_header(name, value)
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: Any) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def flipped(raw: bytes) -> bytes:
    return raw[:-1] + bytes([raw[-1] ^ 1])


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"answer": lambda past: (past[-1][0], past[-1][1], flipped(past[-1][2]))}, Tampered),
        ({"answer": lambda past: (200, past[-1][1], past[-1][2][:-4])}, Tampered),
        ({"answer": lambda past: past[0]}, Tampered),  # of an earlier question
        ({"answer": lambda past: (404, *past[-1][1:])}, Tampered),
        ({"bare": True}, Tampered),
        ({"body": flipped}, Unavailable),
        ({"body": lambda raw: raw + b"x"}, Unavailable),
        ({"answer": lambda past: (502, {}, b"<html>")}, Unavailable),
        ({"answer": lambda past: (200, past[-1][1], bytes(20_000_000))}, Tampered),
    ],
    ids=["flipped", "short", "earlier", "status", "unsigned", "asked", "longer", "proxy", "endless"],
)
def test_nothing_on_the_way_changes_an_answer(
    plain: Running, decider: Decider, change: Changes, error: type[Exception]
) -> None:
    wanted, query = [Wanted("shelf_way", WAY.setdefault(id(decider), decider.sealed()))], decider.query()
    live: Changes = {}
    with between(plain, live) as url:
        matcher = decider.matcher(plain, url=url)
        assert same(matcher.answer(query, wanted), decider.truth(query, wanted))
        live |= change
        with pytest.raises(error):
            matcher.answer(query, wanted)
        live.clear()
        assert same(matcher.answer(query, wanted), decider.truth(query, wanted))
        matcher.close()


WAY: dict[int, tuple[str, ...]] = {}


def test_another_key_than_the_matchers_is_an_incident(plain: Running, decider: Decider) -> None:
    """The matcher refuses a question that is for another; what it says to that proves nothing."""
    public = Ed25519PrivateKey.generate().public_key()
    with pytest.raises(Unavailable, match="does not know this server"):
        decider.matcher(plain, public_key=public).keep(set())


def test_a_decider_that_it_was_not_told_of_is_refused(plain: Running, other: Decider) -> None:
    with pytest.raises(Unavailable, match="keys public matcher"):
        other.matcher(plain).answer(other.query(), [Wanted("shelf_1", other.sealed())])


@pytest.mark.parametrize("seconds", [-60, 60])
def test_clocks_that_differ_are_told(plain: Running, decider: Decider, seconds: float) -> None:
    matcher = decider.matcher(plain, clock=lambda: system_clock() + timedelta(seconds=seconds))
    with pytest.raises(Unavailable, match="clocks"):
        matcher.keep({"ab" * 32})


def test_only_the_named_certificate_is_trusted(running: Running, decider: Decider, tmp_path: Path) -> None:
    certificate, _ = ensure_certificate(tmp_path, ["127.0.0.1"], system_clock())
    for other in (certificate, None):
        with pytest.raises(Unavailable, match="does not answer"):
            decider.matcher(running, certificate=other).keep({"ab" * 32})


@pytest.mark.parametrize("url", ["http://192.0.2.1:8444", "ftp://localhost", "http://matcher.example"])
def test_plain_lines_are_refused(plain: Running, decider: Decider, url: str) -> None:
    with pytest.raises(Invalid, match="https"):
        decider.matcher(plain, url=url)


def test_a_client_certificate_where_one_is_asked(place: Path, decider: Decider, tmp_path: Path) -> None:
    certificate, key = client_certificate(tmp_path, "doorward")
    stranger, strange_key = client_certificate(tmp_path, "stranger")
    with serving(place / "mutual", decider, client_authority=str(certificate)) as running:
        wanted, query = [Wanted("shelf_1", decider.sealed())], decider.query()
        shown: list[dict[str, Any]] = [{}, {"client_certificate": stranger, "client_key": strange_key}]
        for place_of in shown:
            with pytest.raises(Unavailable):
                decider.matcher(running, **place_of).answer(query, wanted)
        known = decider.matcher(running, client_certificate=certificate, client_key=key)
        assert same(known.answer(query, wanted), decider.truth(query, wanted))
        key.chmod(0o644)
        with pytest.raises(Invalid, match="chmod 600"):
            decider.matcher(running, client_certificate=certificate, client_key=key)


def client_certificate(folder: Path, name: str) -> tuple[Path, Path]:
    """As `openssl req -x509` makes them in docs/operate/matcher.md."""
    private = ec.generate_private_key(ec.SECP256R1())
    named = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    made = (
        x509.CertificateBuilder()
        .subject_name(named)
        .issuer_name(named)
        .public_key(private.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(system_clock() - timedelta(hours=1))
        .not_valid_after(system_clock() + timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(private.public_key()), critical=False)
        .sign(private, hashes.SHA256())
    )
    certificate, key = folder / f"{name}.pem", folder / f"{name}-key.pem"
    certificate.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    key.touch(mode=0o600)
    key.write_bytes(
        private.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    return certificate, key
