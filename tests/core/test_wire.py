import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite
from hypothesis import given
from hypothesis import strategies as st

from doorward.core.encoding import canonical_json, from_text
from doorward.core.errors import Invalid, Tampered
from doorward.core.wire import (
    START_OF_CHAIN,
    ChainRestart,
    ClockReport,
    Credential,
    CredentialSeen,
    Direction,
    Door,
    DoorState,
    FaceEvidence,
    JournalEntry,
    JournalFact,
    Kind,
    Mode,
    OfflineDecision,
    OfflineDoor,
    OfflineOutcome,
    OfflinePolicy,
    Outcome,
    Permit,
    PlateEvidence,
    PolicyEntry,
    Receipt,
    RefusedEntry,
    Request,
    Sighting,
    Signed,
    Standing,
    TimeReply,
    Wants,
    Window,
    credential_hash,
    decode,
    encode,
    face_of,
    hand_over,
    key_id_of,
    kind_of,
    open_face,
    open_fact,
    open_message,
    place_in,
    seal_face,
    seal_fact,
    seal_message,
    successor_of,
)

NOON = datetime(2030, 1, 7, 12, tzinfo=UTC)
KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
OTHER = Ed25519PrivateKey.from_private_bytes(bytes(range(1, 33)))
SERVER = X25519PrivateKey.from_private_bytes(bytes(range(2, 34)))
JOURNAL_KEY = SERVER.public_key().public_bytes_raw()

SIGHTING = Sighting(
    agent_id="agent_a",
    gate_id="gate_a",
    sequence=7,
    seen_at=NOON,
    face=FaceEvidence(key_id=bytes(8), sealed=bytes(560), frames=5, quality=11.5, liveness_passed=True),
    plate=PlateEvidence(candidates=(("ABC123", 0.5),), minimum_character_confidence=0.25, frames=3),
    card="04A1B2C3",
    qr="token",
    pin="4711",
    clock=ClockReport(offset_ms=-12, round_trip_ms=3),
)
MESSAGES: list[Any] = [
    SIGHTING,
    Sighting(agent_id="agent_a", gate_id="gate_a", sequence=8, seen_at=NOON),
    Permit(
        permit_id="permit_a",
        gate_id="gate_a",
        agent_id="agent_a",
        sequence=7,
        opens=True,
        because=None,
        open_seconds=5,
        expires_at=NOON,
    ),
    Outcome(permit_id="permit_a", gate_id="gate_a", moved=True, at=NOON),
    DoorState(agent_id="agent_a", gate_id="gate_a", sequence=9, state=Door.TAMPERED, at=NOON),
    OfflinePolicy(
        agent_id="agent_a",
        gate_id="gate_a",
        version=3,
        nonce=bytes(16),
        not_before=NOON,
        expires_at=NOON + timedelta(days=1),
        direction=Direction.IN,
        mode=Mode.NORMAL,
        open_seconds=5,
        hash_key=bytes(32),
        journal_key=JOURNAL_KEY,
        face_key=JOURNAL_KEY,
        schedules=((Window(opens=NOON, closes=NOON + timedelta(hours=8)),),),
        entries=(PolicyEntry(kind=Credential.CARD, hash=bytes(32), subject_id="person_a", schedule=0),),
    ),
    JournalEntry(
        agent_id="agent_a",
        gate_id="gate_a",
        sequence=10,
        previous=START_OF_CHAIN,
        at=NOON,
        clock_doubtful=False,
        key_id=bytes(8),
        sealed=bytes(64),
    ),
    ChainRestart(agent_id="agent_a", gate_id="gate_a", sequence=11, previous=bytes(32), held=bytes(32)),
    Receipt(
        agent_id="agent_a",
        up_to=10,
        head=bytes(32),
        refused=(RefusedEntry(sequence=9, because="unreadable"),),
    ),
    Request(agent_id="agent_a", gate_id="gate_a", wants=Wants.POLICY, nonce=bytes(16), sent_at=NOON),
    TimeReply(nonce=bytes(16), received_at=NOON, sent_at=NOON, next_sequence=11),
    Standing(agent_id="agent_a", gate_id="gate_a", nonce=bytes(16), mode=Mode.RELEASED, lease_seconds=90),
    hand_over(KEY, OTHER),
]
NONSENSE: list[Any] = [[1], {}, 2.5, "\x00", -1, 2**60, {"a": 1}, "x" * 6000]
NAMES = [f"{type(message).__name__}-{i}" for i, message in enumerate(MESSAGES)]
FACTS: list[JournalFact] = [
    OfflineDecision(
        opens=True,
        because=None,
        subject_id="person_a",
        seen=(CredentialSeen(kind=Credential.CARD, hash=bytes(32)),),
        face_seen=True,
        policy_version=3,
        instead_of=9,
    ),
    OfflineOutcome(about=10, moved=True),
    OfflineDoor(state=Door.OPENED),
]


@pytest.mark.parametrize("message", MESSAGES, ids=NAMES)
def test_what_is_sealed_is_read_back_as_it_was(message: Any) -> None:
    signed = Signed.from_json(json.loads(json.dumps(seal_message(KEY, "agent_a", message).to_json())))
    assert open_message(KEY.public_key(), type(message), signed) == message


@pytest.mark.parametrize("message", MESSAGES, ids=NAMES)
def test_another_key_or_kind_does_not_open_it(message: Any) -> None:
    signed = seal_message(KEY, "agent_a", message)
    with pytest.raises(Tampered):
        open_message(OTHER.public_key(), type(message), signed)
    for shape in {type(other) for other in MESSAGES} - {type(message)}:
        with pytest.raises(Tampered):
            open_message(KEY.public_key(), shape, signed)
    with pytest.raises(Tampered):
        open_message(KEY.public_key(), type(message), replace(signed, signer_id="agent_b"))
    with pytest.raises(Tampered):
        open_message(KEY.public_key(), type(message), replace(signed, signature=b"short"))


@pytest.mark.parametrize("message", MESSAGES, ids=NAMES)
def test_every_field_is_needed_and_no_other_is_known(message: Any) -> None:
    fields = json.loads(encode(message))
    for name in fields:
        with pytest.raises(Invalid):
            decode(type(message), canonical_json({k: v for k, v in fields.items() if k != name}))
        for nonsense in NONSENSE:
            with pytest.raises(Invalid):
                decode(type(message), canonical_json({**fields, name: nonsense}))
    with pytest.raises(Invalid):
        decode(type(message), canonical_json({**fields, "more": 1}))


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"\xff",
        b"null",
        b"[" * 15_000,
        b"9" * 15_000,
        b'{"up_to":NaN}',
        b" " + encode(Receipt(agent_id="a", up_to=1, head=bytes(32))),
        encode(Receipt(agent_id="a", up_to=1, head=bytes(32))).replace(b'"up_to":1', b'"up_to":1,"up_to":1'),
        encode(Receipt(agent_id="a", up_to=1, head=bytes(32))).replace(b'"up_to":1', b'"up_to":true'),
        encode(Receipt(agent_id="a", up_to=1, head=bytes(32))).replace(b'"up_to":1', b'"up_to":1.0'),
        encode(Receipt(agent_id="a", up_to=1, head=bytes(32))) + b" " * 20_000,
    ],
)
def test_anything_but_canonical_json_of_a_bounded_size_is_refused(body: bytes) -> None:
    with pytest.raises(Invalid):
        decode(Receipt, body)


@given(st.binary(max_size=200))
def test_random_bytes_are_never_more_than_invalid(body: bytes) -> None:
    with pytest.raises(Invalid):
        decode(Sighting, body)


def test_an_instant_without_a_zone_is_not_sent() -> None:
    with pytest.raises(Invalid):
        encode(replace(SIGHTING, seen_at=NOON.replace(tzinfo=None)))


def test_instants_in_other_zones_name_the_same_moment() -> None:
    there = NOON.astimezone(tz=datetime.strptime("+0530", "%z").tzinfo)
    assert encode(replace(SIGHTING, seen_at=there)) == encode(SIGHTING)


@pytest.mark.parametrize(
    "changes",
    [{"sequence": 0}, {"card": "x" * 129}, {"card": "a\nb"}, {"agent_id": ""}, {"seen_at": None}],
)
def test_what_could_not_be_read_is_not_sent(changes: dict[str, Any]) -> None:
    with pytest.raises(Invalid):
        encode(replace(SIGHTING, **changes))


def test_a_sealed_face_has_exactly_one_length() -> None:
    assert SIGHTING.face
    for sealed in (bytes(559), bytes(561), b""):
        with pytest.raises(Invalid):
            encode(replace(SIGHTING, face=replace(SIGHTING.face, sealed=sealed)))


def test_a_face_opens_for_its_key_and_in_its_own_sighting_alone() -> None:
    template = np.arange(128, dtype="<f4").tobytes()
    key_id, sealed = seal_face(JOURNAL_KEY, template, place_in("agent_a", "gate_a", 7))
    assert SIGHTING.face
    shown = replace(SIGHTING, face=replace(SIGHTING.face, key_id=key_id, sealed=sealed))
    there = decode(Sighting, encode(shown))
    face = face_of(there)
    assert face is not None
    other = X25519PrivateKey.from_private_bytes(bytes(range(3, 35)))
    assert open_face(face, [other, SERVER]) == template
    elsewhere = [replace(shown, **{name: value}) for name, value in MOVED.items()]
    for moved in [face, *map(face_of, elsewhere)]:
        assert moved is not None
        with pytest.raises(Tampered):
            open_face(moved, [other] if moved is face else [SERVER])
    with pytest.raises(Tampered):
        open_face(replace(face, sealed=bytes([face.sealed[0] ^ 1]) + face.sealed[1:]), [SERVER])


MOVED: dict[str, Any] = {"agent_id": "agent_b", "gate_id": "gate_b", "sequence": 8}


@pytest.mark.parametrize("fact", FACTS, ids=lambda fact: type(fact).__name__)
def test_only_the_server_reads_a_journal_entry(fact: JournalFact) -> None:
    sealed = seal_fact(JOURNAL_KEY, "agent_a", 10, fact)
    entry = JournalEntry(
        agent_id="agent_a",
        gate_id="gate_a",
        sequence=10,
        previous=START_OF_CHAIN,
        at=NOON,
        clock_doubtful=False,
        key_id=key_id_of(JOURNAL_KEY),
        sealed=sealed,
    )
    assert open_fact(SERVER, entry) == fact
    assert len(sealed) == len(seal_fact(JOURNAL_KEY, "agent_a", 10, FACTS[2]))
    for moved in (replace(entry, sequence=11), replace(entry, agent_id="agent_b")):
        with pytest.raises(Tampered):
            open_fact(SERVER, moved)
    with pytest.raises(Tampered):
        open_fact(X25519PrivateKey.generate(), entry)


@pytest.mark.parametrize("tag", [["decided"], {"decided": 1}, None, 7, "unknown"], ids=str)
def test_a_fact_of_no_known_sort_is_refused(tag: object) -> None:
    body = canonical_json({"fact": {}, "tag": tag})
    suite = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)
    entry = JournalEntry(
        agent_id="agent_a",
        gate_id="gate_a",
        sequence=10,
        previous=START_OF_CHAIN,
        at=NOON,
        clock_doubtful=False,
        key_id=key_id_of(JOURNAL_KEY),
        sealed=suite.encrypt(body, SERVER.public_key(), b"doorward/1/journal\nagent_a\n10"),
    )
    with pytest.raises(Invalid, match="no known sort"):
        open_fact(SERVER, entry)


@pytest.mark.parametrize("text", ["AA==", "AB", "+_8", "-/8", "A", "A A", "AA\n", "\u00e4A"], ids=repr)
def test_bytes_have_one_form_as_text(text: str) -> None:
    with pytest.raises(ValueError):
        from_text(text)
    assert from_text("-_8") == bytes([251, 255])


def test_keyed_hashes_depend_on_key_and_kind_and_not_on_how_a_plate_is_written() -> None:
    one, two = bytes(32), bytes(range(32))
    assert credential_hash(one, Credential.CARD, "1234") != credential_hash(two, Credential.CARD, "1234")
    assert credential_hash(one, Credential.CARD, "1234") != credential_hash(one, Credential.QR, "1234")
    assert credential_hash(one, Credential.PLATE, "ab-123 c") == credential_hash(
        one, Credential.PLATE, "AB123C"
    )


def test_a_key_is_followed_only_by_one_that_agreed() -> None:
    handover = hand_over(KEY, OTHER)
    assert successor_of(handover).public_bytes_raw() == OTHER.public_key().public_bytes_raw()
    for spoilt in (
        replace(handover, before=bytes(32)),
        replace(handover, after=KEY.public_key().public_bytes_raw()),
        replace(handover, proof=bytes(64)),
    ):
        with pytest.raises(Tampered):
            successor_of(spoilt)


def test_each_message_has_a_kind_of_its_own() -> None:
    kinds = [kind_of(shape) for shape in {type(message) for message in MESSAGES}]
    assert sorted(kinds) == sorted(Kind)


def test_known_answers_stay_as_published() -> None:
    published = (Path(__file__).parents[2] / "docs" / "security" / "edge-messages.md").read_text()
    receipt = Receipt(agent_id="agent_a", up_to=10, head=bytes(32))
    said = [("server", receipt), ("server", MESSAGES[2]), ("agent_a", MESSAGES[1])]
    signed = [seal_message(KEY, signer_id, message) for signer_id, message in said]
    known = [part for one in signed for part in (one.body.decode(), one.signature.hex())]
    known += [KEY.public_key().public_bytes_raw().hex()]
    known += [credential_hash(bytes(32), Credential.PLATE, "AB-123").hex()]
    assert [part for part in known if part not in published] == []
