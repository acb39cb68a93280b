"""What staff have ordered for one gate, and how the server's key is followed by the next."""

from dataclasses import dataclass
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from doorward.core.errors import Tampered
from doorward.core.wire.messages import Permit
from doorward.core.wire.offline import Mode

_PROOF: Final = b"doorward/1/handover-proof\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What is in force at a gate at the request whose nonce this repeats; permits are those given by hand.

    It holds for `lease_seconds` from that request on, by the agent's monotonic clock: an agent that hears
    no more may not hold a gate open for longer.
    """

    agent_id: str
    gate_id: str
    nonce: bytes
    mode: Mode
    lease_seconds: int
    permits: tuple[Permit, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Handover:
    """Signed by the server's key `before`: from now on `after` signs instead.

    `proof` is the signature of `after` over both, so that nobody hands over to a key that is not theirs.
    """

    before: bytes
    after: bytes
    proof: bytes


def hand_over(before: Ed25519PrivateKey, after: Ed25519PrivateKey) -> Handover:
    """The statement by which agents that know `before` come to know `after`; `before` has yet to sign it."""
    old, new = before.public_key().public_bytes_raw(), after.public_key().public_bytes_raw()
    return Handover(before=old, after=new, proof=after.sign(_PROOF + old + new))


def successor_of(handover: Handover) -> Ed25519PublicKey:
    """The key that signs from now on; `Tampered` unless that key itself agreed to follow."""
    try:
        key = Ed25519PublicKey.from_public_bytes(handover.after)
        key.verify(handover.proof, _PROOF + handover.before + handover.after)
    except (InvalidSignature, ValueError) as error:
        raise Tampered("The next key did not agree to follow the one before.") from error
    return key
