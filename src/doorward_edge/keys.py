"""The agent's own key and the server's public one."""

import os
import stat
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from doorward.core.encoding import from_text, to_text
from doorward.core.errors import Conflict, Invalid

HEX_CHARACTERS: Final = 64


def make_key(path: Path) -> str:
    """Write a new Ed25519 key (PEM, mode 0600) and give its public half to register at the server.

    `Conflict` if the file is there already: a key is never written over.
    """
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
    return public_text(key)


def public_text(key: Ed25519PrivateKey) -> str:
    """The public half, in base 64."""
    return to_text(key.public_key().public_bytes_raw())


def load_key(path: Path) -> Ed25519PrivateKey:
    """The agent's key; `Invalid` unless the file is a key that nobody else may read."""
    try:
        key = serialization.load_pem_private_key(_own_secret(path), None)
    except (ValueError, TypeError) as error:
        raise Invalid("The key file holds no private key: make one with `doorward-edge keygen`.") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise Invalid("The key file holds another kind of key: make one with `doorward-edge keygen`.")
    return key


def load_api_key(path: Path) -> str:
    """The agent's API key, from a file that nobody else may read."""
    text = _own_secret(path).decode("ascii", errors="replace").strip()
    if not text or not text.isascii() or not text.isprintable() or " " in text:
        raise Invalid("The API key file must hold the key that the server showed, and nothing else.")
    return text


def _own_secret(path: Path) -> bytes:
    try:
        status = path.stat()
        raw = path.read_bytes()
    except OSError as error:
        raise Invalid("The key file cannot be read: make one with `doorward-edge keygen`.") from error
    if stat.S_IMODE(status.st_mode) & 0o077:
        raise Invalid("Others may read the key file: chmod 600 it, or better make a new key.")
    return raw


def server_key(text: str) -> Ed25519PublicKey:
    """A key that permits may be signed with, in base 64 or in hexadecimal."""
    try:
        raw = bytes.fromhex(text) if len(text) == HEX_CHARACTERS else from_text(text.rstrip("="))
        return Ed25519PublicKey.from_public_bytes(raw)
    except ValueError as error:
        raise Invalid(
            "server.public_key must be the 32 bytes that `doorward agent add` showed, in base 64 or hex."
        ) from error
