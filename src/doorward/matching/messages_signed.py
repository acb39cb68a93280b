"""Proves who sent a message and that it is this one, now, once: for the decider and for the matcher.

A request carries one header: who asks, the matcher's present epoch, a nonce, the time, length and SHA-256 of
the body, and an Ed25519 signature over all of it with the matcher's key, the method and the path. A matcher
draws its epoch anew at each start, so that what was heard before counts no more, and remembers the nonces of
its epoch for as long as their time is believed. An answer is signed over the request's own signed text, its
status and its body: it answers that request and no other. Whoever is asked checks the header before it reads
one byte of a body.
"""

import hashlib
import secrets
import struct
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from doorward.core.encoding import from_text, to_text
from doorward.core.errors import Conflict, Tampered, Unauthenticated, Unavailable

PROOF_HEADER: Final = "doorward-proof"
WINDOW_SECONDS: Final = 30.0
MOST_NONCES: Final = 65_536
EPOCH_BYTES: Final = 16
NO_EPOCH: Final = bytes(EPOCH_BYTES)

_REQUEST_DOMAIN: Final = b"doorward/1/matcher-request\n"
_ANSWER_DOMAIN: Final = b"doorward/1/matcher-answer\n"
_REQUEST = struct.Struct("<32s16s16sQQ32s")  # decider, epoch, nonce, milliseconds, length, digest
_ANSWER = struct.Struct("<16s32s")  # epoch, digest
SIGNATURE_BYTES: Final = 64
LONGEST_PROOF: Final = 256


@dataclass(frozen=True, slots=True)
class Asked:
    """A request's proof, once its signature was found true. `text` is what was signed."""

    decider: bytes
    epoch: bytes
    nonce: bytes
    at: float
    length: int
    digest: bytes
    text: bytes


@dataclass(frozen=True, slots=True)
class Request:
    """A request to be sent: the header's value, and what the answer must be signed over."""

    header: str
    text: bytes


def sign_request(
    key: Ed25519PrivateKey, matcher: bytes, epoch: bytes, path: str, body: bytes, *, now: datetime
) -> Request:
    """Sign a POST of this body, with a fresh nonce."""
    facts = _REQUEST.pack(
        key.public_key().public_bytes_raw(),
        epoch,
        secrets.token_bytes(16),
        int(now.timestamp() * 1000),
        len(body),
        hashlib.sha256(body).digest(),
    )
    text = _request_text(matcher, path, facts)
    return Request(to_text(facts + key.sign(text)), text)


def read_request(header: str, matcher: bytes, path: str, deciders: frozenset[bytes]) -> Asked:
    """Who asks; `Unauthenticated` unless it is one of these deciders and its signature is true."""
    raw = _decoded(header, _REQUEST.size)
    facts, signature = raw[: _REQUEST.size], raw[_REQUEST.size :]
    decider, epoch, nonce, milliseconds, length, digest = _REQUEST.unpack(facts)
    if decider not in deciders:
        raise Unauthenticated("This key may not ask here.")
    text = _request_text(matcher, path, facts)
    try:
        Ed25519PublicKey.from_public_bytes(decider).verify(signature, text)
    except (InvalidSignature, ValueError) as error:
        raise Unauthenticated("This request is not signed by its key.") from error
    return Asked(decider, epoch, nonce, milliseconds / 1000, length, digest, text)


def sign_answer(key: Ed25519PrivateKey, asked: Asked, epoch: bytes, status: int, digest: bytes) -> str:
    """The header of an answer whose body has this SHA-256."""
    facts = _ANSWER.pack(epoch, digest)
    return to_text(facts + key.sign(_answer_text(asked.text, status, facts)))


def read_answer(header: str, matcher: Ed25519PublicKey, request: Request, status: int, body: bytes) -> bytes:
    """The matcher's epoch; `Tampered` unless it signed this very answer to this very request."""
    try:
        raw = _decoded(header, _ANSWER.size)
        facts, signature = raw[: _ANSWER.size], raw[_ANSWER.size :]
        matcher.verify(signature, _answer_text(request.text, status, facts))
    except (InvalidSignature, Unauthenticated) as error:
        raise Tampered("The matcher's answer is not signed by the matcher's key.") from error
    epoch, digest = _ANSWER.unpack(facts)
    if digest != hashlib.sha256(body).digest():
        raise Tampered("The matcher's answer was changed on its way.")
    return bytes(epoch)


class Nonces:
    """What was asked in this epoch: each request counts once, and only near its time.

    Of bounded size: when there is no room, nothing is forgotten, and requests are refused.
    """

    def __init__(self, *, window_seconds: float = WINDOW_SECONDS, most: int = MOST_NONCES) -> None:
        self.epoch = secrets.token_bytes(EPOCH_BYTES)
        self._window = window_seconds
        self._most = most
        self._seen: set[bytes] = set()
        self._order: deque[tuple[float, bytes]] = deque()

    def accept(self, asked: Asked, now: datetime) -> None:
        """Take note of a request.

        `Conflict` for another epoch; `Unauthenticated` for a repeat or a wrong time; `Unavailable` if
        there is no room.
        """
        if asked.epoch != self.epoch:
            raise Conflict("This request is of another epoch.")
        moment = now.timestamp()
        if abs(asked.at - moment) > self._window:
            raise Unauthenticated("This request is of another time.")
        while self._order and self._order[0][0] < moment:
            self._seen.discard(self._order.popleft()[1])
        key = asked.decider + asked.nonce
        if key in self._seen:
            raise Unauthenticated("This request was made already.")
        if len(self._seen) >= self._most:
            raise Unavailable("Too many requests at once.")
        self._seen.add(key)
        # No request is believed later than a window after its time, which is a window ahead at most.
        self._order.append((moment + 2 * self._window, key))


def digest_of_parts(parts: Iterable[memoryview | bytes]) -> bytes:
    """SHA-256 of these, one after the other."""
    whole = hashlib.sha256()
    for part in parts:
        whole.update(part)
    return whole.digest()


def _decoded(header: str, facts: int) -> bytes:
    try:
        raw = from_text(header) if len(header) <= 2 * LONGEST_PROOF else b""
    except ValueError:
        raw = b""
    if len(raw) != facts + SIGNATURE_BYTES:
        raise Unauthenticated("This message is not signed.")
    return raw


def _request_text(matcher: bytes, path: str, facts: bytes) -> bytes:
    return b"".join((_REQUEST_DOMAIN, matcher, b"POST ", path.encode(), b"\n", facts))


def _answer_text(request_text: bytes, status: int, facts: bytes) -> bytes:
    asked = hashlib.sha256(request_text).digest()
    return b"".join((_ANSWER_DOMAIN, asked, struct.pack("<H", status), facts))
