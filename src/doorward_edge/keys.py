"""The agent's own key and the server's public one."""

from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from doorward.core.errors import Invalid
from doorward.core.key_files import load_key_file, make_key_file, public_key_of, public_text, read_own

MADE_WITH: Final = "doorward-edge keygen"

__all__ = ["load_api_key", "load_key", "make_key", "public_text", "server_key"]


def make_key(path: Path) -> str:
    """Write a new Ed25519 key (PEM, mode 0600) and give its public half to register at the server.

    `Conflict` if the file is there already: a key is never written over.
    """
    return public_text(make_key_file(path))


def load_key(path: Path) -> Ed25519PrivateKey:
    """The agent's key; `Invalid` unless the file is a key that nobody else may read."""
    return load_key_file(path, made_with=MADE_WITH)


def load_api_key(path: Path) -> str:
    """The agent's API key, from a file that nobody else may read."""
    text = read_own(path, made_with=MADE_WITH).decode("ascii", errors="replace").strip()
    if not text or not text.isascii() or not text.isprintable() or " " in text:
        raise Invalid("The API key file must hold the key that the server showed, and nothing else.")
    return text


def server_key(text: str) -> Ed25519PublicKey:
    """A key that permits may be signed with, in base 64 or in hexadecimal."""
    return public_key_of(text, named="server.public_key (as `doorward agent add` showed it)")
