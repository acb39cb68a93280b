"""What the log needs from the storey above it."""

from collections.abc import Mapping
from typing import Protocol

from doorward.platform.db import Unit


class Signer(Protocol):
    """Signs heads; the private key stays where it lives."""

    @property
    def key_id(self) -> str: ...

    @property
    def public_key(self) -> bytes: ...

    def sign(self, message: bytes) -> bytes: ...


class Keys(Protocol):
    """Where the log's keys come from; the vault is one."""

    def audit_signer(self) -> Signer: ...
    def audit_keys(self) -> Mapping[str, bytes]: ...


class SecondPerson(Protocol):
    """Refuses a deed that takes two people unless this approval is for exactly these facts, and burns it."""

    def __call__(
        self, unit: Unit, action: str, facts: Mapping[str, object], approval_id: str | None
    ) -> None: ...
