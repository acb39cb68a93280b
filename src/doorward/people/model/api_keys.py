"""Keys for programs: scoped to rights and sites, shown once."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from doorward.core.permissions import Permission


@dataclass(frozen=True, slots=True)
class ApiKey:
    """An API key as it is stored; `rights` maps a site's id, or every site, to rights."""

    id: str
    maker_id: str
    sealed_label: bytes
    sealed_digest: bytes
    rights: Mapping[str, frozenset[Permission]]
    networks: tuple[str, ...]
    made_at: datetime
    expires_at: datetime
    used_at: datetime | None
    revoked: bool


@dataclass(frozen=True, slots=True)
class ApiKeyView:
    """An API key with its label in the clear and without its digest."""

    key: ApiKey
    label: str
