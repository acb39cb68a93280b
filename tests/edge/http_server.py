"""The small server behind real HTTP, plain on loopback or with a certificate of its own."""

import datetime
import ipaddress
import json
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from doorward.core.errors import Conflict, DoorwardError, Unavailable
from doorward.core.wire import Kind, Signed
from tests.edge.world import FakeServer


def make_certificate(folder: Path, name: str) -> tuple[Path, Path]:
    """A self-signed certificate for 127.0.0.1 and its key, as PEM files."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    start = datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC)
    names = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(start + datetime.timedelta(days=36_500))
        .add_extension(names, critical=False)
        .sign(key, hashes.SHA256())
    )
    chain, private = folder / f"{name}.pem", folder / f"{name}.key"
    chain.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    private.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    return chain, private


@contextmanager
def serving(server: FakeServer, certificate: tuple[Path, Path] | None = None) -> Iterator[str]:
    """The URL under which the server answers until the block ends."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            kind = "application/json"
            try:
                answer, status = _dispatch(server, self.path.rsplit("/", 1)[-1], body), 200
            except DoorwardError as error:
                known = {Unavailable: 503, Conflict: 409}.get(type(error), 400)
                status = int(str(error.facts.get("status", known)))
                answer, kind = {}, str(error.facts.get("content_type", "application/problem+json"))
            raw = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(raw)))
            self.end_headers()
            self.wfile.write(raw)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
            pass

    httpd = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    scheme = "http"
    if certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*certificate)
        httpd.socket = context.wrap_socket(httpd.socket, server_side=True)
        scheme = "https"
    thread = threading.Thread(target=httpd.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield f"{scheme}://127.0.0.1:{httpd.server_port}"
    finally:
        httpd.shutdown()
        httpd.server_close()
        thread.join()


def _dispatch(server: FakeServer, verb: str, body: dict[str, Any]) -> Any:
    if verb == "journal":
        restart = Signed.from_json(body["restart"]) if body["restart"] else None
        return server.replay([Signed.from_json(entry) for entry in body["entries"]], restart).to_json()
    message = Signed.from_json(body)
    if verb == "sightings":
        return server.ask(message).to_json()
    if verb == "commanded":
        return server.standing(message).to_json()
    if verb == "handovers":
        return [one.to_json() for one in server.handovers(message)]
    if verb == "requests":
        return server.fetch(message).to_json()
    server.report(Kind.OUTCOME if verb == "outcomes" else Kind.DOOR_STATE, message)
    return {}
