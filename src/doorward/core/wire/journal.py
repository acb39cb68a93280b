"""Facts of the offline journal, sealed so that only the server can read them (HPKE, RFC 9180)."""

from collections.abc import Sequence
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite

from doorward.core.encoding import canonical_json
from doorward.core.errors import Invalid, Tampered
from doorward.core.wire.codecs import IDENTIFIER, SEQUENCE, parse
from doorward.core.wire.messages import Door
from doorward.core.wire.offline import (
    Credential,
    CredentialSeen,
    JournalEntry,
    JournalFact,
    OfflineDecision,
    OfflineDoor,
    OfflineOutcome,
    key_id_of,
)
from doorward.core.wire.shapes import (
    Reader,
    flag,
    many,
    maybe,
    octets,
    one_of,
    plain,
    record,
    refuse,
    text,
    whole,
)

_SUITE: Final = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)
_PADDED_BYTES: Final = 1024
_MAX_SEEN: Final = 4

_FACTS: Final[dict[str, tuple[type, Reader[JournalFact]]]] = {
    "decided": (
        OfflineDecision,
        record(
            OfflineDecision,
            opens=flag,
            because=maybe(text(64)),
            subject_id=maybe(IDENTIFIER),
            seen=many(record(CredentialSeen, kind=one_of(Credential), hash=octets(32, 32)), _MAX_SEEN),
            face_seen=flag,
            policy_version=maybe(whole(1, 2**53 - 1)),
            instead_of=maybe(SEQUENCE),
        ),
    ),
    "moved": (OfflineOutcome, record(OfflineOutcome, about=SEQUENCE, moved=flag, certain=flag)),
    "door": (OfflineDoor, record(OfflineDoor, state=one_of(Door))),
}


def seal_fact(journal_key: bytes, agent_id: str, sequence: int, fact: JournalFact) -> bytes:
    """The fact, sealed to the server's X25519 public key and bound to one agent and sequence.

    All facts are padded to one length, so that neither size nor content tells an opening from a refusal.
    """
    tag = next(tag for tag, (kind, _) in _FACTS.items() if isinstance(fact, kind))
    body = canonical_json({"fact": plain(fact), "tag": tag})
    if len(body) > _PADDED_BYTES:
        raise refuse(f"a fact of at most {_PADDED_BYTES} bytes")
    public = X25519PublicKey.from_public_bytes(journal_key)
    return _SUITE.encrypt(body.ljust(_PADDED_BYTES, b" "), public, _binding(agent_id, sequence))


def open_fact(
    key: X25519PrivateKey, entry: JournalEntry, *, older: Sequence[X25519PrivateKey] = ()
) -> JournalFact:
    """The fact inside an entry; `Tampered` if it was sealed for another key, agent or sequence."""
    named = [one for one in (key, *older) if key_id_of(one.public_key().public_bytes_raw()) == entry.key_id]
    if not named:
        raise Tampered("A journal entry was sealed to a key that this server does not hold any more.")
    body = _opened(named[0], entry.sealed, _binding(entry.agent_id, entry.sequence))
    if body is None:
        raise Tampered("A journal entry was not sealed for this server and place.")
    value = parse(body, _PADDED_BYTES)
    if not isinstance(value, dict) or value.keys() != {"tag", "fact"} or value["tag"] not in list(_FACTS):
        raise Invalid("This journal entry holds a fact of no known sort.")
    return _FACTS[value["tag"]][1](value["fact"])


def _opened(key: X25519PrivateKey, sealed: bytes, binding: bytes) -> bytes | None:
    try:
        return _SUITE.decrypt(sealed, key, binding)
    except (InvalidTag, ValueError):
        return None


def _binding(agent_id: str, sequence: int) -> bytes:
    return b"doorward/1/journal\n" + agent_id.encode() + b"\n" + str(sequence).encode()
