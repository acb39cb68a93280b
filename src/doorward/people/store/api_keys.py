"""API keys: a sealed digest to compare with, never the secret."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Mapped, mapped_column

from doorward.core.permissions import Permission
from doorward.people.model.api_keys import ApiKey
from doorward.platform.db import Base, Rows
from doorward.platform.types import UtcDateTime


class ApiKeyRow(Base):
    __tablename__ = "staff_api_keys"

    id: Mapped[str] = mapped_column(primary_key=True)
    maker_id: Mapped[str] = mapped_column(index=True)
    sealed_label: Mapped[bytes]
    sealed_digest: Mapped[bytes]
    rights: Mapped[str]
    networks: Mapped[str]
    made_at: Mapped[datetime] = mapped_column(UtcDateTime)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime)
    used_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    revoked: Mapped[bool] = mapped_column(default=False)


def add_api_key(rows: Rows, key: ApiKey) -> None:
    rows.add(
        ApiKeyRow(
            id=key.id,
            maker_id=key.maker_id,
            sealed_label=key.sealed_label,
            sealed_digest=key.sealed_digest,
            rights=_rights_to_text(key.rights),
            networks=json.dumps(key.networks),
            made_at=key.made_at,
            expires_at=key.expires_at,
            used_at=key.used_at,
            revoked=key.revoked,
        )
    )
    rows.flush()


def find_api_key(rows: Rows, key_id: str) -> ApiKey | None:
    row = rows.scalar(select(ApiKeyRow).where(ApiKeyRow.id == key_id))
    return row and _api_key(row)


def list_api_keys(rows: Rows, *, after: str = "", limit: int | None = None) -> list[ApiKey]:
    query = select(ApiKeyRow).where(ApiKeyRow.id > after).order_by(ApiKeyRow.id)
    found = rows.execute(query.limit(limit) if limit else query).scalars()
    return [_api_key(row) for row in found]


def change_api_key(rows: Rows, key_id: str, **values: Any) -> None:
    rows.execute(update(ApiKeyRow).where(ApiKeyRow.id == key_id).values(**values))


def _rights_to_text(rights: Mapping[str, frozenset[Permission]]) -> str:
    return json.dumps({site_id: sorted(held) for site_id, held in sorted(rights.items())})


def _api_key(row: ApiKeyRow) -> ApiKey:
    rights = {
        site_id: frozenset(Permission(right) for right in held)
        for site_id, held in json.loads(row.rights).items()
    }
    return ApiKey(
        row.id,
        row.maker_id,
        row.sealed_label,
        row.sealed_digest,
        rights,
        tuple(json.loads(row.networks)),
        row.made_at,
        row.expires_at,
        row.used_at,
        row.revoked,
    )
