"""What the log needs from the storey above it."""

from typing import Protocol


class Signer(Protocol):
    """Signs heads; the private key stays where it lives."""

    @property
    def key_id(self) -> str: ...

    @property
    def public_key(self) -> bytes: ...

    def sign(self, message: bytes) -> bytes: ...
