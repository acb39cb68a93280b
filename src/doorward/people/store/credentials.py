"""Cards, QR codes and PINs: keyed hashes to look up, sealed values to hand to agents."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, delete, select, update
from sqlalchemy.orm import Mapped, mapped_column

from doorward.platform.db import Base, Rows
from doorward.platform.types import UtcDateTime


class CredentialRow(Base):
    __tablename__ = "people_credentials"

    id: Mapped[str] = mapped_column(primary_key=True)
    site_id: Mapped[str] = mapped_column(index=True)
    person_id: Mapped[str] = mapped_column(index=True)
    kind: Mapped[str]
    blind: Mapped[bytes | None] = mapped_column(index=True)
    sealed: Mapped[bytes | None]
    added_at: Mapped[datetime] = mapped_column(UtcDateTime)


class PinRow(Base):
    __tablename__ = "people_pins"

    person_id: Mapped[str] = mapped_column(primary_key=True)
    site_id: Mapped[str]
    pepper: Mapped[bytes]
    pin_hash: Mapped[str]
    duress_hash: Mapped[str | None]
    wrong: Mapped[int] = mapped_column(default=0)
    locked_until: Mapped[datetime | None] = mapped_column(UtcDateTime)


@dataclass(frozen=True, slots=True)
class Credential:
    """One card or QR code of a person."""

    id: str
    person_id: str
    kind: str
    sealed: bytes


@dataclass(frozen=True, slots=True)
class Pin:
    """A person's PIN record; `pepper` is sealed under the person's key."""

    pepper: bytes
    pin_hash: str
    duress_hash: str | None
    wrong: int
    locked_until: datetime | None


CREDENTIALS: Any = CredentialRow.__table__
# Built once: every passage by card or code asks this.
FIND_HOLDER = (
    select(CREDENTIALS.c.person_id)
    .where(
        CREDENTIALS.c.site_id == bindparam("site"),
        CREDENTIALS.c.kind == bindparam("kind"),
        CREDENTIALS.c.blind.in_(bindparam("blinds", expanding=True)),
    )
    .limit(1)
)


def add_credential(rows: Rows, row: CredentialRow) -> None:
    rows.add(row)
    rows.flush()


def find_holder(rows: Rows, site_id: str, kind: str, blinds: Sequence[bytes]) -> str | None:
    asked = {"site": site_id, "kind": kind, "blinds": list(blinds)}
    row = rows.execute(FIND_HOLDER, asked).first()
    return str(row.person_id) if row else None


def list_credentials(rows: Rows, site_id: str, person_id: str | None = None) -> list[Credential]:
    query = select(CredentialRow).where(CredentialRow.site_id == site_id, CredentialRow.sealed.is_not(None))
    if person_id is not None:
        query = query.where(CredentialRow.person_id == person_id)
    found = rows.execute(query.order_by(CredentialRow.id)).scalars()
    return [Credential(row.id, row.person_id, row.kind, row.sealed or b"") for row in found]


def forget_credential(rows: Rows, site_id: str, person_id: str, credential_id: str) -> bool:
    gone = delete(CredentialRow).where(
        CredentialRow.id == credential_id,
        CredentialRow.person_id == person_id,
        CredentialRow.site_id == site_id,
    )
    return bool(getattr(rows.execute(gone), "rowcount", 0))


def forget_all_of(rows: Rows, person_id: str) -> None:
    rows.execute(delete(CredentialRow).where(CredentialRow.person_id == person_id))
    rows.execute(delete(PinRow).where(PinRow.person_id == person_id))


def put_pin(rows: Rows, site_id: str, person_id: str, pin: Pin) -> None:
    """Keep a PIN in place of a former one."""
    forget_pin(rows, person_id)
    rows.add(
        PinRow(
            person_id=person_id,
            site_id=site_id,
            pepper=pin.pepper,
            pin_hash=pin.pin_hash,
            duress_hash=pin.duress_hash,
            wrong=pin.wrong,
            locked_until=pin.locked_until,
        )
    )
    rows.flush()


def forget_pin(rows: Rows, person_id: str) -> bool:
    """Erase a PIN; whether there was one."""
    gone = rows.execute(delete(PinRow).where(PinRow.person_id == person_id))
    return bool(getattr(gone, "rowcount", 0))


def find_pin(rows: Rows, site_id: str, person_id: str) -> Pin | None:
    row = rows.scalar(select(PinRow).where(PinRow.person_id == person_id, PinRow.site_id == site_id))
    return Pin(bytes(row.pepper), row.pin_hash, row.duress_hash, row.wrong, row.locked_until) if row else None


def count_wrong_pin(rows: Rows, person_id: str, wrong: int, locked_until: datetime | None) -> None:
    change = update(PinRow).where(PinRow.person_id == person_id)
    rows.execute(change.values(wrong=wrong, locked_until=locked_until))
