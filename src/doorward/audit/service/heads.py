"""Signing the log's head, so that nothing before it can be changed unnoticed."""

from collections.abc import Mapping

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from doorward.audit import store
from doorward.audit.model import Head, SignedHead, microseconds
from doorward.audit.ports import Signer
from doorward.audit.rules import head_bytes, root_of
from doorward.audit.service.recording import written
from doorward.core.errors import NotFound, Tampered
from doorward.platform.db import Unit


def sign_head(unit: Unit, signer: Signer) -> SignedHead:
    """Sign the log as it stands; the head of this size and key is signed once and then repeated."""
    frontier = store.read_frontier(written(unit))
    known = store.find_head(unit.rows, frontier.size, signer.key_id)
    if known is not None:
        return known
    head = Head(frontier.size, root_of(frontier), microseconds(unit.now), signer.key_id)
    signed = SignedHead(head, signer.sign(head_bytes(head)))
    store.add_head(unit.rows, signed)
    return signed


def latest_head(unit: Unit) -> SignedHead:
    """The newest signed head; `NotFound` before the first."""
    found = store.find_head(unit.rows)
    if found is None:
        raise NotFound("No head of the audit log is signed yet: wait for the next one, or sign one.")
    return found


def heads(unit: Unit) -> list[SignedHead]:
    """Every signed head, smallest first."""
    return store.list_heads(unit.rows)


def require_genuine(signed: SignedHead, trusted: Mapping[str, bytes]) -> None:
    """`Tampered` unless one of the trusted keys (by key id) signed this head."""
    head = signed.head
    public = trusted.get(head.key_id)
    if public is None:
        raise Tampered("A head of the audit log names a key that is not ours.", size=head.size)
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signed.signature, head_bytes(head))
    except (InvalidSignature, ValueError) as error:
        raise Tampered("The signature of an audit head does not fit it.", size=head.size) from error
