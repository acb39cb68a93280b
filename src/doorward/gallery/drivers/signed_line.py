"""A line to another program of ours over HTTPS: its word counts only if it signed it, for this request."""

import ssl
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Final

import httpx
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from doorward.core.clock import Clock
from doorward.core.errors import DoorwardError, Invalid, Tampered, Unavailable
from doorward.core.loopback import is_loopback
from doorward.core.private import require_private
from doorward.matching import messages
from doorward.matching.messages_signed import NO_EPOCH, PROOF_HEADER, Request, read_answer, sign_request

CONNECT_SECONDS: Final = 2.0
# Below the ten seconds after which the other side lets go of a silent connection.
KEPT_SECONDS: Final = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class FarSide:
    """Where a program is and how it is recognised.

    `certificate` is a PEM file, the only one that is trusted; None trusts the machine's authorities. The two
    of the client are for programs that ask for them.
    """

    url: str
    public_key: Ed25519PublicKey
    certificate: Path | None = None
    client_certificate: Path | None = None
    client_key: Path | None = None
    timeout_seconds: float = 5.0


class SignedLine:
    """Signs each request and believes signed answers alone. Safe from any thread.

    `name` is what the other side is, and its section of the settings; `said` is what to do about a refusal.
    """

    def __init__(
        self,
        far: FarSide,
        signing: Callable[[], Ed25519PrivateKey],
        clock: Clock,
        *,
        name: str,
        said: Mapping[str, str],
    ) -> None:
        self._far = far
        self._name = name
        self._said = said
        self._signing = signing
        self._clock = clock
        self._public = far.public_key.public_bytes_raw()
        self._epoch = NO_EPOCH
        self._silent = (
            f"The {name} does not answer: check {name}.url, its certificate, the line, and its log."
        )
        self._client = httpx.Client(
            base_url=far.url.rstrip("/"),
            limits=httpx.Limits(max_connections=16, keepalive_expiry=KEPT_SECONDS),
            verify=_trust(far, name),
            trust_env=False,
            follow_redirects=False,
        )

    def close(self) -> None:
        """Let go of the connections."""
        self._client.close()

    def ask(self, name: str, body: bytes, longest: int, *, seconds: float | None = None) -> bytes:
        """The body of an answer that is no refusal; the refusal in words otherwise.

        It may take so many seconds, or as long as the settings say.
        """
        status, answer = self.asked(name, body, longest, seconds=seconds)
        if status != HTTPStatus.OK:
            raise self.refusal(answer)
        return answer

    def asked(
        self, name: str, body: bytes, longest: int, *, seconds: float | None = None
    ) -> tuple[int, bytes]:
        """Status and body of a signed answer; once more if the other side has started anew since."""
        path = f"/v1/{name}"
        for _ in range(2):
            request = sign_request(self._signing(), self._public, self._epoch, path, body, now=self._clock())
            status, answer, proof = self._posted(
                path, request, body, longest, seconds or self._far.timeout_seconds
            )
            if proof is None and status != HTTPStatus.OK:
                raise self.refusal(answer)  # by somebody on the way, or by one that does not know us
            epoch = self._epoch_of(proof or "", request, status, answer)
            if status != HTTPStatus.CONFLICT:
                return status, answer
            self._epoch = epoch
        raise Unavailable(f"The {self._name} starts over and over: see its log.")

    def _posted(
        self, path: str, request: Request, body: bytes, longest: int, seconds: float
    ) -> tuple[int, bytes, str | None]:
        until = time.monotonic() + seconds
        timeout = httpx.Timeout(seconds, connect=min(CONNECT_SECONDS, seconds))
        headers = {PROOF_HEADER: request.header, "content-type": "application/octet-stream"}
        try:
            with self._client.stream(
                "POST", path, content=body, headers=headers, timeout=timeout
            ) as response:
                parts, length = [], 0
                for part in response.iter_raw():
                    length += len(part)
                    if length > longest:
                        raise Tampered(f"The answer of the {self._name} is longer than any could be.")
                    if time.monotonic() > until:
                        raise Unavailable(self._silent)
                    parts.append(part)
        except httpx.HTTPError as error:
            raise Unavailable(self._silent) from error
        return response.status_code, b"".join(parts), response.headers.get(PROOF_HEADER)

    def _epoch_of(self, proof: str, request: Request, status: int, answer: bytes) -> bytes:
        try:
            return read_answer(proof, self._far.public_key, request, status, answer)
        except Tampered as error:
            raise Tampered(f"What answers for the {self._name} does not hold its key.") from error

    def refusal(self, body: bytes) -> DoorwardError:
        """What a refusal asks of whoever runs this side."""
        name = self._name
        try:
            code = messages.decode_fault(body)
        except Invalid:
            return Unavailable(f"What answers at {name}.url is no {name}, or it cannot now.")
        said = self._said.get(code, f"The {name} refused a request ({code}): see its log.")
        return Unavailable(said, code=code)


def _trust(far: FarSide, name: str) -> ssl.SSLContext | bool:
    url = httpx.URL(far.url)
    if url.scheme == "http" and is_loopback(url.host):
        return False
    if url.scheme != "https":
        raise Invalid(f"{name}.url must begin with https://; plain http is for loopback only.")
    if (far.client_certificate is None) != (far.client_key is None):
        raise Invalid(f"Name both {name}.client_certificate and {name}.client_key, or neither.")
    try:
        context = ssl.create_default_context(cafile=str(far.certificate) if far.certificate else None)
        if far.client_certificate is not None and far.client_key is not None:
            require_private(far.client_key)
            context.load_cert_chain(far.client_certificate, far.client_key)
    except (OSError, ssl.SSLError) as error:
        raise Invalid(f"A certificate or key named in [{name}] cannot be read: they must be PEM.") from error
    if far.certificate is not None:
        # A self-made certificate is its own authority; strict mode asks it for the extensions of a real one.
        context.verify_flags &= ~ssl.VERIFY_X509_STRICT
        context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    return context
