"""The server over HTTPS: its certificate is pinned by file, and nothing waits for long."""

import ipaddress
import json
import ssl
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import httpx

from doorward.core.errors import Conflict, Denied, DoorwardError, Invalid, NotFound, Unavailable
from doorward.core.wire import Kind, Signed

MOST_BYTES: Final = 24 * 1024 * 1024  # a policy of 16 MiB in base 64, and its frame
REFUSALS: Final[dict[int, type[DoorwardError]]] = {
    400: Invalid,
    401: Denied,
    403: Denied,
    404: NotFound,
    409: Conflict,
    422: Invalid,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """Where the server is and how it is recognised. `certificate` is a PEM file: its own or its maker's.

    Only that file is trusted, not the machine's list of authorities. `api_key` needs the right gates:sight.
    """

    url: str
    site_id: str
    certificate: Path | None = None
    api_key: str | None = field(default=None, repr=False)
    connect_seconds: float = 1.0
    answer_seconds: float = 2.0
    policy_seconds: float = 10.0


class HttpLink:
    """A `Link` that posts signed messages to `/api/v1/sites/{site}/edge/...`."""

    def __init__(self, server: Server) -> None:
        self._timeout = httpx.Timeout(server.answer_seconds, connect=server.connect_seconds)
        self._policy_seconds = server.policy_seconds
        self._client = httpx.Client(
            base_url=f"{server.url.rstrip('/')}/api/v1/sites/{server.site_id}/edge/",
            timeout=self._timeout,
            verify=_trust(server),
            headers={"Authorization": f"Bearer {server.api_key}"} if server.api_key else {},
            trust_env=False,
            follow_redirects=False,
        )

    def close(self) -> None:
        """Let go of the connection."""
        self._client.close()

    def ask(self, sighting: Signed) -> Signed:
        """POST sightings."""
        return Signed.from_json(self._post("sightings", sighting.to_json()))

    def report(self, kind: Kind, message: Signed) -> None:
        """POST outcomes or door states."""
        self._post("outcomes" if kind is Kind.OUTCOME else "door-states", message.to_json())

    def replay(self, entries: Sequence[Signed]) -> Signed:
        """POST journal: a batch of entries."""
        body = {"entries": [entry.to_json() for entry in entries]}
        return Signed.from_json(self._post("journal", body))

    def commands(self, request: Signed) -> Sequence[Signed]:
        """POST commanded: permits given by hand."""
        listed = self._post("commanded", request.to_json())
        if not isinstance(listed, list):
            raise Invalid("The server's answer holds no list of permits.")
        return [Signed.from_json(one) for one in listed]

    def fetch(self, request: Signed) -> Signed:
        """POST requests: policy or time."""
        return Signed.from_json(self._post("requests", request.to_json(), seconds=self._policy_seconds))

    def _post(self, path: str, body: dict[str, Any], *, seconds: float | None = None) -> Any:
        waits = self._timeout if seconds is None else httpx.Timeout(seconds, connect=self._timeout.connect)
        try:
            with self._client.stream("POST", path, json=body, timeout=waits) as answer:
                raw = _read(answer)
        except httpx.HTTPError as error:
            raise Unavailable("The server did not answer: check the line and the certificate.") from error
        if answer.status_code in REFUSALS:
            raise REFUSALS[answer.status_code]("The server refused this message: see its log.")
        if not 200 <= answer.status_code < 300:
            raise Unavailable("The server cannot answer now: see its log.")
        if not raw:
            return {}
        try:
            return json.loads(raw)
        except (ValueError, RecursionError) as error:
            raise Invalid("The server's answer is no JSON.") from error


def _read(answer: httpx.Response) -> bytes:
    parts, length = [], 0
    for part in answer.iter_bytes():
        length += len(part)
        if length > MOST_BYTES:
            raise Invalid("The server's answer is too long.")
        parts.append(part)
    return b"".join(parts)


def _trust(server: Server) -> ssl.SSLContext | bool:
    url = httpx.URL(server.url)
    if url.scheme == "http" and _is_loopback(url.host):
        return False
    if url.scheme != "https":
        raise Invalid("The server's URL must begin with https://; plain http is for loopback only.")
    if server.certificate is None:
        raise Invalid("Name the server's certificate file: only that one will be trusted.")
    try:
        context = ssl.create_default_context(cafile=str(server.certificate))
    except (OSError, ssl.SSLError) as error:
        raise Invalid("The server's certificate cannot be read: it must be a PEM file.") from error
    # A self-made certificate is its own authority; strict mode asks it for the extensions of a real one.
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    return context


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
