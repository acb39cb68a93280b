"""Signing keys in files of their own, and their public halves as text."""

import os
import stat
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from doorward.core.encoding import from_text, to_text
from doorward.core.errors import Conflict, Invalid

HEX_CHARACTERS = 64


def make_key_file(path: Path) -> Ed25519PrivateKey:
    """Write a new Ed25519 key (PEM, mode 0600); `Conflict` if the file is there: no key is written over."""
    key = Ed25519PrivateKey.generate()
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError as error:
        raise Conflict("There is a key already: name another file, or move it away yourself.") from error
    except OSError as error:
        raise Invalid("The key file cannot be written: check the folder.") from error
    with os.fdopen(handle, "wb") as file:
        file.write(pem)
        file.flush()
        os.fsync(file.fileno())
    return key


def load_key_file(path: Path, *, made_with: str) -> Ed25519PrivateKey:
    """The key in a file; `Invalid` unless it is a key that nobody else may read."""
    try:
        key = serialization.load_pem_private_key(read_own(path, made_with=made_with), None)
    except (ValueError, TypeError) as error:
        raise Invalid(f"The key file holds no private key: make one with `{made_with}`.") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise Invalid(f"The key file holds another kind of key: make one with `{made_with}`.")
    return key


def read_own(path: Path, *, made_with: str) -> bytes:
    """The bytes of a file that nobody else may read."""
    try:
        status = path.stat()
        raw = path.read_bytes()
    except OSError as error:
        raise Invalid(f"The key file cannot be read: make one with `{made_with}`.") from error
    if stat.S_IMODE(status.st_mode) & 0o077:
        raise Invalid("Others may read the key file: chmod 600 it, or better make a new key.")
    return raw


def public_text(key: Ed25519PrivateKey) -> str:
    """The public half, in URL-safe base 64."""
    return to_text(key.public_key().public_bytes_raw())


def public_key_of(text: str, *, named: str) -> Ed25519PublicKey:
    """A public key from its text, base 64 or hexadecimal; `Invalid` says which setting is wrong."""
    try:
        raw = bytes.fromhex(text) if len(text) == HEX_CHARACTERS else from_text(text.rstrip("="))
        return Ed25519PublicKey.from_public_bytes(raw)
    except ValueError as error:
        raise Invalid(f"{named} must be the 32 bytes of a public key, in base 64 or hex.") from error
