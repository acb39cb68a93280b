"""A matcher on another machine, over HTTPS: its word counts only if it signed it, for this very question."""

import ssl
import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Final, TypeVar

import httpx
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from doorward.core.clock import Clock
from doorward.core.errors import DoorwardError, Invalid, NotFound, Tampered, Unavailable
from doorward.core.loopback import is_loopback
from doorward.core.private import require_private
from doorward.gallery.model import Wanted
from doorward.gallery.ports import Blocks
from doorward.matching import messages
from doorward.matching.matcher import Answer
from doorward.matching.messages import MOST_SHELVES, Kind, WantedShelf
from doorward.matching.messages_signed import NO_EPOCH, PROOF_HEADER, Request, read_answer, sign_request
from doorward.matching.queries import Query

T = TypeVar("T")

CONNECT_SECONDS: Final = 2.0
# Below the ten seconds after which a matcher lets go of a silent connection.
KEPT_SECONDS: Final = 5.0
LARGEST_FAULT: Final = 1024
SILENT: Final = "The matcher does not answer: check matcher.url, its certificate, the line, and its log."
SAID: Final = {
    "busy": "The matcher has more searches than it takes: try again, or give it more machines.",
    "disk": "The matcher cannot read or write its blocks: check its disk.",
    "full": "The matcher has no room for more blocks: raise most_blocks in its matcher.toml.",
    "stale": "The matcher takes this request for an old one: set the clocks of both machines by NTP.",
    "unknown": "The matcher does not know this server: put `doorward keys public matcher` into its deciders, "
    "and its own public key into matcher.public_key.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class MatcherPlace:
    """Where a matcher is and how it is recognised.

    `certificate` is a PEM file, the only one that is trusted; None trusts the machine's authorities. The two
    of the client are for matchers that ask for them.
    """

    url: str
    public_key: Ed25519PublicKey
    certificate: Path | None = None
    client_certificate: Path | None = None
    client_key: Path | None = None
    timeout_seconds: float = 5.0


class RemoteMatcher:
    """Sends blocks that the matcher lacks, then asks again, once. Safe from any thread."""

    def __init__(
        self, blocks: Blocks, place: MatcherPlace, signing: Callable[[], Ed25519PrivateKey], clock: Clock
    ) -> None:
        self._blocks = blocks
        self._place = place
        self._signing = signing
        self._clock = clock
        self._public = place.public_key.public_bytes_raw()
        self._epoch = NO_EPOCH
        self._client = httpx.Client(
            base_url=place.url.rstrip("/"),
            timeout=httpx.Timeout(place.timeout_seconds, connect=min(CONNECT_SECONDS, place.timeout_seconds)),
            limits=httpx.Limits(max_connections=16, keepalive_expiry=KEPT_SECONDS),
            verify=_trust(place),
            trust_env=False,
            follow_redirects=False,
        )

    def answer(self, query: Query, shelves: Sequence[Wanted]) -> list[Answer]:
        """One answer a shelf."""
        wanted = [WantedShelf(one.shelf_id, one.digests) for one in shelves]
        answers: list[Answer] = []
        for start in range(0, len(wanted), MOST_SHELVES):
            answers += self._search(query, wanted[start : start + MOST_SHELVES])
        return answers

    def keep(self, digests: Collection[str]) -> None:
        """Have every other block deleted there."""
        status, body = self._asked("keep", messages.encode_list(Kind.KEEP, sorted(digests)), LARGEST_FAULT)
        if status != HTTPStatus.OK:
            raise _refusal(body)
        _read(lambda: messages.decode_done(body))

    def close(self) -> None:
        """Let go of the connections."""
        self._client.close()

    def _search(self, query: Query, shelves: Sequence[WantedShelf]) -> list[Answer]:
        message = messages.encode_search(query, shelves)
        longest = max(messages.largest_answer(shelves), messages.LARGEST_LIST)
        for is_last in (False, True):
            status, body = self._asked("search", message, longest)
            if status == HTTPStatus.OK:
                return _read(lambda: messages.decode_answers(body, shelves))  # noqa: B023 (called at once)
            if status != HTTPStatus.NOT_FOUND or is_last:
                break
            self._push(_read(lambda: messages.decode_list(body, Kind.LACKS)), shelves)  # noqa: B023
        raise _refusal(body)

    def _push(self, missing: Sequence[str], shelves: Sequence[WantedShelf]) -> None:
        named = {digest for shelf in shelves for digest in shelf.digests}
        for digest in missing:
            if digest not in named:
                raise Tampered("The matcher asks for a block that no query named.")
            try:
                cells = self._blocks.get(digest)
            except (NotFound, Tampered) as error:
                raise Unavailable("A block that is searched is damaged here: it will be mended.") from error
            status, body = self._asked("put", messages.encode_put(digest, cells), LARGEST_FAULT)
            if status != HTTPStatus.OK:
                raise _refusal(body)
            _read(lambda: messages.decode_done(body))  # noqa: B023

    def _asked(self, name: str, body: bytes, longest: int) -> tuple[int, bytes]:
        """Status and body of a signed answer; once more if the matcher has started anew since."""
        path = f"/v1/{name}"
        for _ in range(2):
            request = sign_request(self._signing(), self._public, self._epoch, path, body, now=self._clock())
            status, answer, proof = self._posted(path, request, body, longest)
            if proof is None and status != HTTPStatus.OK:
                raise _refusal(answer)  # by somebody on the way, or by a matcher that does not know us
            epoch = read_answer(proof or "", self._place.public_key, request, status, answer)
            if status != HTTPStatus.CONFLICT:
                return status, answer
            self._epoch = epoch
        raise Unavailable("The matcher starts over and over: see its log.")

    def _posted(
        self, path: str, request: Request, body: bytes, longest: int
    ) -> tuple[int, bytes, str | None]:
        until = time.monotonic() + self._place.timeout_seconds
        headers = {PROOF_HEADER: request.header, "content-type": "application/octet-stream"}
        try:
            with self._client.stream("POST", path, content=body, headers=headers) as response:
                parts, length = [], 0
                for part in response.iter_raw():
                    length += len(part)
                    if length > longest:
                        raise Tampered("The matcher's answer is longer than any could be.")
                    if time.monotonic() > until:
                        raise Unavailable(SILENT)
                    parts.append(part)
        except httpx.HTTPError as error:
            raise Unavailable(SILENT) from error
        return response.status_code, b"".join(parts), response.headers.get(PROOF_HEADER)


def _read(decode: Callable[[], T]) -> T:
    try:
        return decode()
    except Invalid as error:
        raise Tampered("The matcher's answer is signed, and is none.") from error


def _refusal(body: bytes) -> DoorwardError:
    try:
        code = messages.decode_fault(body)
    except Invalid:
        return Unavailable("What answers at matcher.url is no matcher, or it cannot now.")
    return Unavailable(SAID.get(code, f"The matcher refused a request ({code}): see its log."), code=code)


def _trust(place: MatcherPlace) -> ssl.SSLContext | bool:
    url = httpx.URL(place.url)
    if url.scheme == "http" and is_loopback(url.host):
        return False
    if url.scheme != "https":
        raise Invalid("matcher.url must begin with https://; plain http is for loopback only.")
    if (place.client_certificate is None) != (place.client_key is None):
        raise Invalid("Name both matcher.client_certificate and matcher.client_key, or neither.")
    try:
        context = ssl.create_default_context(cafile=str(place.certificate) if place.certificate else None)
        if place.client_certificate is not None and place.client_key is not None:
            require_private(place.client_key)
            context.load_cert_chain(place.client_certificate, place.client_key)
    except (OSError, ssl.SSLError) as error:
        raise Invalid("A certificate or key named in [matcher] cannot be read: they must be PEM.") from error
    if place.certificate is not None:
        # A self-made certificate is its own authority; strict mode asks it for the extensions of a real one.
        context.verify_flags &= ~ssl.VERIFY_X509_STRICT
        context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    return context
