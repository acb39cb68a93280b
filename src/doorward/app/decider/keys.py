"""A decider's two public keys as one text: what it signs with, and what faces are sealed to."""

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from doorward.core.encoding import from_text, to_text
from doorward.core.errors import Invalid
from doorward.core.keys import FaceKeys
from doorward.vault.model import Purpose
from doorward.vault.service import Vault

KEY_BYTES = 32


def face_keys_of(vault: Vault, purpose: Purpose) -> FaceKeys:
    """What faces are sealed to, here."""
    return FaceKeys.from_signing_keys([one.private_key for one in vault.signers(purpose)])


def public_text_of(vault: Vault) -> str:
    """Both, for `decider.public_key` of the server."""
    return to_text(vault.signer(Purpose.DECIDER).public_key + face_keys_of(vault, Purpose.DECIDER).public)


def public_keys_of(text: str) -> tuple[Ed25519PublicKey, bytes]:
    """Both, read again; `Invalid` for anything else."""
    try:
        raw = from_text(text.strip())
        if len(raw) != 2 * KEY_BYTES:
            raise ValueError
        return Ed25519PublicKey.from_public_bytes(raw[:KEY_BYTES]), raw[KEY_BYTES:]
    except ValueError as error:
        raise Invalid("decider.public_key must be the text that `doorward-decider key` shows.") from error
