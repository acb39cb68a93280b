"""Messages as canonical JSON: one encoding for each value, and one strict reader for each kind."""

import json
from typing import Any, Final, NoReturn, TypeVar

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from doorward.core.encoding import canonical_json
from doorward.core.errors import Invalid
from doorward.core.wire.messages import (
    ClockReport,
    Door,
    DoorState,
    FaceEvidence,
    Outcome,
    Permit,
    PlateEvidence,
    Request,
    Sighting,
    TimeReply,
    Wants,
)
from doorward.core.wire.offline import (
    ChainRestart,
    Credential,
    Direction,
    JournalEntry,
    Mode,
    OfflinePolicy,
    PolicyEntry,
    Receipt,
    RefusedEntry,
    Window,
)
from doorward.core.wire.orders import Handover, Standing
from doorward.core.wire.shapes import (
    Reader,
    flag,
    instant,
    many,
    maybe,
    octets,
    one_of,
    pair,
    plain,
    real,
    record,
    refuse,
    text,
    whole,
)
from doorward.core.wire.signed import Kind, Signed, sign, verify

Message = (
    Sighting
    | Permit
    | Outcome
    | DoorState
    | OfflinePolicy
    | JournalEntry
    | ChainRestart
    | Receipt
    | Request
    | TimeReply
    | Standing
    | Handover
)
M = TypeVar(
    "M",
    Sighting,
    Permit,
    Outcome,
    DoorState,
    OfflinePolicy,
    JournalEntry,
    ChainRestart,
    Receipt,
    Request,
    TimeReply,
    Standing,
    Handover,
)

IDENTIFIER: Final = text(64)
SEQUENCE: Final = whole(1, 2**53 - 1)
LINK: Final = octets(32, 32)
NONCE: Final = octets(16, 16)
DAY_MS: Final = 86_400_000
KEY_ID: Final = octets(8, 8)
SEALED_FACE: Final = octets(560, 560)  # see faces
SMALL: Final = 16 * 1024
MAX_BYTES: Final = {Kind.POLICY: 16 * 1024 * 1024, Kind.RECEIPT: 64 * 1024}  # all other kinds: SMALL
MAX_ENTRIES: Final = 50_000


_FACE = record(
    FaceEvidence,
    key_id=KEY_ID,
    sealed=SEALED_FACE,
    frames=whole(1, 10_000),
    quality=real(-1e6, 1e6),
    liveness_passed=maybe(flag),
)
_PLATE = record(
    PlateEvidence,
    candidates=many(pair(text(16), real(0.0, 1.0)), 32),
    minimum_character_confidence=real(0.0, 1.0),
    frames=whole(1, 10_000),
)
_CLOCK = record(
    ClockReport,
    offset_ms=whole(-(2**53), 2**53),
    round_trip_ms=whole(0, DAY_MS),
    jumped=flag,
)
_SIGHTING = record(
    Sighting,
    agent_id=IDENTIFIER,
    gate_id=IDENTIFIER,
    sequence=SEQUENCE,
    seen_at=instant,
    face=maybe(_FACE),
    plate=maybe(_PLATE),
    card=maybe(text(128)),
    qr=maybe(text(1024)),
    pin=maybe(text(16)),
    clock=maybe(_CLOCK),
)
_PERMIT = record(
    Permit,
    permit_id=IDENTIFIER,
    gate_id=IDENTIFIER,
    agent_id=IDENTIFIER,
    sequence=SEQUENCE,
    opens=flag,
    because=maybe(text(200)),
    open_seconds=whole(0, 3600),
    expires_at=instant,
    valid_seconds=whole(1, 60),
    highest=maybe(SEQUENCE),
)
_OUTCOME = record(Outcome, permit_id=IDENTIFIER, gate_id=IDENTIFIER, moved=flag, at=instant, certain=flag)
_DOOR_STATE = record(
    DoorState, agent_id=IDENTIFIER, gate_id=IDENTIFIER, sequence=SEQUENCE, state=one_of(Door), at=instant
)
_REQUEST = record(
    Request,
    agent_id=IDENTIFIER,
    gate_id=IDENTIFIER,
    wants=one_of(Wants),
    nonce=NONCE,
    sent_at=instant,
)
_TIME = record(TimeReply, nonce=NONCE, received_at=instant, sent_at=instant, next_sequence=SEQUENCE)
_STANDING = record(
    Standing,
    agent_id=IDENTIFIER,
    gate_id=IDENTIFIER,
    nonce=NONCE,
    mode=one_of(Mode),
    lease_seconds=whole(1, 600),
    permits=many(_PERMIT, 20),
)
_HANDOVER = record(Handover, before=octets(32, 32), after=octets(32, 32), proof=octets(64, 64))
_POLICY = record(
    OfflinePolicy,
    agent_id=IDENTIFIER,
    gate_id=IDENTIFIER,
    version=whole(1, 2**53 - 1),
    nonce=NONCE,
    not_before=instant,
    expires_at=instant,
    direction=one_of(Direction),
    mode=one_of(Mode),
    open_seconds=whole(1, 3600),
    hash_key=octets(32, 32),
    journal_key=octets(32, 32),
    face_key=octets(32, 32),
    schedules=many(many(record(Window, opens=instant, closes=instant), 1000), MAX_ENTRIES),
    entries=many(
        record(
            PolicyEntry,
            kind=one_of(Credential),
            hash=octets(32, 32),
            subject_id=IDENTIFIER,
            schedule=whole(0, MAX_ENTRIES - 1),
        ),
        MAX_ENTRIES,
    ),
    least_frames=whole(1, 2**53 - 1),
    least_character_confidence=real(0, 1),
)
_JOURNAL = record(
    JournalEntry,
    agent_id=IDENTIFIER,
    gate_id=IDENTIFIER,
    sequence=SEQUENCE,
    previous=LINK,
    at=instant,
    clock_doubtful=flag,
    key_id=octets(8, 8),
    sealed=octets(48, 4096),
)
_RESTART = record(
    ChainRestart, agent_id=IDENTIFIER, gate_id=IDENTIFIER, sequence=SEQUENCE, previous=LINK, held=LINK
)
_RECEIPT = record(
    Receipt,
    agent_id=IDENTIFIER,
    up_to=whole(0, 2**53 - 1),
    head=LINK,
    refused=many(record(RefusedEntry, sequence=SEQUENCE, because=text(64)), 500),
)

_READERS: Final[dict[type[Any], tuple[Kind, Reader[Message]]]] = {
    Sighting: (Kind.SIGHTING, _SIGHTING),
    Permit: (Kind.PERMIT, _PERMIT),
    Outcome: (Kind.OUTCOME, _OUTCOME),
    DoorState: (Kind.DOOR_STATE, _DOOR_STATE),
    OfflinePolicy: (Kind.POLICY, _POLICY),
    JournalEntry: (Kind.JOURNAL, _JOURNAL),
    ChainRestart: (Kind.RESTART, _RESTART),
    Receipt: (Kind.RECEIPT, _RECEIPT),
    Request: (Kind.REQUEST, _REQUEST),
    TimeReply: (Kind.TIME, _TIME),
    Standing: (Kind.STANDING, _STANDING),
    Handover: (Kind.HANDOVER, _HANDOVER),
}


def kind_of(message: type[Any]) -> Kind:
    """The kind under which messages of this type are signed."""
    return _READERS[message][0]


def encode(message: Message) -> bytes:
    """The message as canonical JSON; `Invalid` if it could not be read back."""
    try:
        body = canonical_json(plain(message))
    except ValueError as error:
        raise refuse("instants with a zone and finite numbers") from error
    if _read(type(message), body) != message:
        raise refuse("a message that survives its own encoding")
    return body


def decode(shape: type[M], body: bytes) -> M:
    """Read a body of that shape; `Invalid` for anything unknown, missing, oversized or not canonical."""
    message = _read(shape, body)
    assert isinstance(message, shape)
    return message


def _read(shape: type[Any], body: bytes) -> Message:
    kind, reader = _READERS[shape]
    message = reader(parse(body, MAX_BYTES.get(kind, SMALL)))
    # One value, one encoding: what a signature covers can be read in one way only.
    if canonical_json(plain(message)) != body:
        raise refuse("canonical JSON")
    return message


def parse(body: bytes, longest: int) -> Any:
    """JSON of a bounded size, without NaN or infinities; `Invalid` otherwise."""
    if len(body) > longest:
        raise refuse(f"at most {longest} bytes")
    try:
        return json.loads(body, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise refuse("UTF-8 JSON") from error


def _no_constant(_: str) -> NoReturn:
    raise Invalid("This message cannot be read: NaN and infinities are no numbers here.")


def seal_message(key: Ed25519PrivateKey, signer_id: str, message: Message) -> Signed:
    """Encode and sign one message under its own kind."""
    return sign(key, signer_id, kind_of(type(message)), encode(message))


def open_message(key: Ed25519PublicKey, shape: type[M], message: Signed) -> M:
    """Verify, then read; `Tampered` for a wrong signature or kind, `Invalid` for a wrong shape."""
    return decode(shape, verify(key, kind_of(shape), message))
