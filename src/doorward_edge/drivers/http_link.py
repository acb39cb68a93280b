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
PROBLEM: Final = "application/problem+json"
# What the server itself says of this very message, which would be said again. Any other 4xx (a key that lacks
# the right, too many requests, a wrong address) is a refusal too, but may be mended: what waits is kept.
FINAL: Final[dict[int, type[DoorwardError]]] = {400: Invalid, 404: NotFound, 409: Conflict, 422: Invalid}
TOO_LATE: Final = 408


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

    def reach(self) -> None:
        """Whether anybody with the right certificate answers there; `Unavailable` says what is in the way."""
        try:
            self._client.get("", timeout=self._timeout)
        except httpx.HTTPError as error:
            raise Unavailable(
                "The server does not answer, or with another certificate: "
                "check url, port, certificate and the line."
            ) from error

    def ask(self, sighting: Signed) -> Signed:
        """POST sightings."""
        return Signed.from_json(self._post("sightings", sighting.to_json()))

    def report(self, kind: Kind, message: Signed) -> None:
        """POST outcomes or door states."""
        self._post("outcomes" if kind is Kind.OUTCOME else "door-states", message.to_json())

    def replay(self, entries: Sequence[Signed], restart: Signed | None = None) -> Signed:
        """POST journal: a batch of entries."""
        body = {
            "entries": [entry.to_json() for entry in entries],
            "restart": restart.to_json() if restart else None,
        }
        return Signed.from_json(self._post("journal", body, seconds=self._policy_seconds))

    def standing(self, request: Signed) -> Signed:
        """POST commanded: the mode, and permits given by hand."""
        return Signed.from_json(self._post("commanded", request.to_json()))

    def handovers(self, request: Signed) -> Sequence[Signed]:
        """POST handovers: introductions of the server's present key."""
        listed = self._post("handovers", request.to_json())
        if not isinstance(listed, list):
            raise Invalid("The server's answer holds no list of handovers.")
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
        _check(answer)
        if not raw:
            return {}
        try:
            return json.loads(raw)
        except (ValueError, RecursionError) as error:
            raise Invalid("The server's answer is no JSON.") from error


def _check(answer: httpx.Response) -> None:
    """A refusal keeps an entry shut; only what is no answer at all makes the agent decide alone."""
    status = answer.status_code
    if 200 <= status < 300:
        return
    if not 400 <= status < 500 or status == TOO_LATE:
        raise Unavailable("The server cannot answer now: see its log.", status=status)
    is_its_own = answer.headers.get("content-type", "").startswith(PROBLEM)
    refusal = FINAL.get(status, Denied) if is_its_own else Denied
    raise refusal("The server refused this message: see its log.", status=status)


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
