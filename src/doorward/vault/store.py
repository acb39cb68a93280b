"""Wrapped data keys, where photos lie, who may look once, and receipts of what was erased."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import LargeBinary, Row, bindparam, delete, func, insert, or_, select, update
from sqlalchemy.orm import Mapped, mapped_column

from doorward.core.batches import in_batches
from doorward.platform.db import Base, Rows
from doorward.platform.idempotency import AnswerRow
from doorward.platform.types import UtcDateTime
from doorward.vault.model import Photo, Purpose, ViewGrant, WrappedKey

AT_ONCE = 500


class SubjectKeyRow(Base):
    __tablename__ = "vault_subject_keys"

    subject_id: Mapped[str] = mapped_column(primary_key=True)
    key_id: Mapped[str] = mapped_column(unique=True)
    site_id: Mapped[str] = mapped_column(index=True)
    purpose: Mapped[str]
    generation: Mapped[int]
    wrapped: Mapped[bytes]


class PhotoRow(Base):
    __tablename__ = "vault_photos"

    id: Mapped[str] = mapped_column(primary_key=True)
    site_id: Mapped[str]
    subject_id: Mapped[str] = mapped_column(index=True)
    object_name: Mapped[str] = mapped_column(unique=True)
    generation: Mapped[int]
    made_at: Mapped[datetime] = mapped_column(UtcDateTime)


class ViewGrantRow(Base):
    __tablename__ = "vault_view_grants"

    token_hash: Mapped[bytes] = mapped_column(primary_key=True)
    site_id: Mapped[str]
    photo_id: Mapped[str] = mapped_column(index=True)
    actor_id: Mapped[str]
    purpose: Mapped[str]
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    used_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class ReceiptRow(Base):
    __tablename__ = "vault_receipts"

    subject_id: Mapped[str] = mapped_column(primary_key=True)
    site_id: Mapped[str]
    receipt: Mapped[str]
    erased_at: Mapped[datetime | None] = mapped_column(UtcDateTime, index=True)
    generation: Mapped[int | None]  # of the newest wrapping key then: copies from before may need it
    closed_at: Mapped[datetime | None] = mapped_column(UtcDateTime, index=True)


KEYS: Any = SubjectKeyRow.__table__
PHOTOS: Any = PhotoRow.__table__
GRANTS: Any = ViewGrantRow.__table__
CHANGE_KEY = update(KEYS).where(KEYS.c.key_id == bindparam("its"))
CHANGE_KEY = CHANGE_KEY.values(generation=bindparam("to"), wrapped=bindparam("as"))
# The four bytes after the first of whatever a key of the ring sealed.
GENERATION: Any = func.substr(AnswerRow.answer, 2, 4, type_=LargeBinary)


def add_key(rows: Rows, key: WrappedKey) -> None:
    """Keep a wrapped data key."""
    values = {"subject_id": key.subject_id, "key_id": key.key_id, "site_id": key.site_id}
    more = {"purpose": key.purpose.value, "generation": key.generation, "wrapped": key.wrapped}
    rows.execute(insert(KEYS), values | more)


def find_key(rows: Rows, site_id: str, subject_id: str) -> WrappedKey | None:
    """A subject's data key, or None."""
    wanted = select(KEYS).where(KEYS.c.subject_id == subject_id, KEYS.c.site_id == site_id)
    row = rows.execute(wanted).one_or_none()
    return _key(row) if row is not None else None


def list_keys(rows: Rows, site_id: str, subject_ids: Sequence[str] | None = None) -> Iterator[WrappedKey]:
    """A site's data keys: all, or of these subjects (by ids alone, else SQLite reads the whole site)."""
    if subject_ids is None:
        yield from map(_key, rows.execute(select(KEYS).where(KEYS.c.site_id == site_id)))
        return
    for some in in_batches(subject_ids, AT_ONCE):
        found = map(_key, rows.execute(select(KEYS).where(KEYS.c.subject_id.in_(some))))
        yield from (key for key in found if key.site_id == site_id)


def forget_key(rows: Rows, subject_id: str) -> None:
    """Erase a wrapped data key (the database overwrites freed pages)."""
    rows.execute(delete(KEYS).where(KEYS.c.subject_id == subject_id))


def list_old_keys(rows: Rows, purpose: Purpose, generation: int, limit: int) -> list[WrappedKey]:
    """Data keys of any site that another generation wraps."""
    wanted = select(KEYS).where(KEYS.c.purpose == purpose.value, KEYS.c.generation != generation).limit(limit)
    return [_key(row) for row in rows.execute(wanted)]


def count_old_keys(rows: Rows, purpose: Purpose, generation: int) -> int:
    """How many data keys of any site another generation wraps."""
    wanted = select(func.count()).where(KEYS.c.purpose == purpose.value, KEYS.c.generation != generation)
    return int(rows.scalar(wanted) or 0)


def list_every_key(rows: Rows) -> list[WrappedKey]:
    """All data keys of all sites."""
    return [_key(row) for row in rows.execute(select(KEYS).order_by(KEYS.c.subject_id))]


def change_keys(rows: Rows, keys: Sequence[WrappedKey]) -> None:
    """The same data keys in another wrapping."""
    if keys:
        values = [{"its": key.key_id, "to": key.generation, "as": key.wrapped} for key in keys]
        rows.execute(CHANGE_KEY, values)


def find_receipt(rows: Rows, site_id: str, subject_id: str) -> str | None:
    """The receipt of an erasure, as JSON, or None."""
    wanted = select(ReceiptRow.receipt).where(ReceiptRow.subject_id == subject_id)
    found: str | None = rows.scalar(wanted.where(ReceiptRow.site_id == site_id))
    return found


def add_receipt(rows: Rows, key: WrappedKey, receipt: str, *, erased_at: datetime, generation: int) -> None:
    """Keep the receipt of a key that was erased, with the newest wrapping generation of that time."""
    row = ReceiptRow(subject_id=key.subject_id, site_id=key.site_id, receipt=receipt, erased_at=erased_at)
    row.generation = generation
    rows.add(row)
    rows.flush()


def list_unclosed(rows: Rows, purpose: Purpose | None = None) -> list[str]:
    """Who was erased, at any site, and may still lie open in a copy from before."""
    wanted = select(ReceiptRow.subject_id).where(ReceiptRow.closed_at.is_(None))
    return list(rows.execute(_of_purpose(wanted, purpose)).scalars())


def close_receipts(rows: Rows, purpose: Purpose, oldest: int, now: datetime) -> None:
    """Note that wrapping generations older than this are gone, and with them who was erased under one."""
    older = or_(ReceiptRow.generation.is_(None), ReceiptRow.generation < oldest)
    change = update(ReceiptRow).where(ReceiptRow.closed_at.is_(None), older)
    rows.execute(_of_purpose(change, purpose).values(closed_at=now))


def find_closed_at(rows: Rows, site_id: str, subject_id: str) -> datetime | None:
    """Since when no older copy opens this subject, or None."""
    wanted = select(ReceiptRow.closed_at).where(ReceiptRow.subject_id == subject_id)
    found: datetime | None = rows.scalar(wanted.where(ReceiptRow.site_id == site_id))
    return found


def list_erased(rows: Rows) -> list[tuple[str, str]]:
    """Subject and site of every erasure."""
    wanted = select(ReceiptRow.subject_id, ReceiptRow.site_id).order_by(ReceiptRow.subject_id)
    return [(row.subject_id, row.site_id) for row in rows.execute(wanted)]


def add_photo(rows: Rows, photo: Photo, now: datetime) -> None:
    """Keep where a photo lies."""
    rows.execute(
        insert(PHOTOS),
        {
            "id": photo.id,
            "site_id": photo.site_id,
            "subject_id": photo.subject_id,
            "object_name": photo.object_name,
            "generation": photo.generation,
            "made_at": now,
        },
    )


def find_photo(rows: Rows, site_id: str, photo_id: str) -> Photo | None:
    """A photo of the site, or None."""
    wanted = select(PHOTOS).where(PHOTOS.c.id == photo_id, PHOTOS.c.site_id == site_id)
    row = rows.execute(wanted).one_or_none()
    return _photo(row) if row is not None else None


def list_photos(rows: Rows, site_id: str, subject_id: str) -> list[Photo]:
    """A subject's photos, oldest first."""
    wanted = select(PHOTOS).where(PHOTOS.c.subject_id == subject_id, PHOTOS.c.site_id == site_id)
    return [_photo(row) for row in rows.execute(wanted.order_by(PHOTOS.c.made_at, PHOTOS.c.id))]


def list_old_photos(rows: Rows, generation: int, limit: int) -> list[Photo]:
    """Photos of any site whose object another generation seals."""
    wanted = select(PHOTOS).where(PHOTOS.c.generation != generation).limit(limit)
    return [_photo(row) for row in rows.execute(wanted)]


def count_old_photos(rows: Rows, generation: int) -> int:
    """How many photos of any site another generation seals."""
    return int(rows.scalar(select(func.count()).where(PHOTOS.c.generation != generation)) or 0)


def move_photo(rows: Rows, photo_id: str, object_name: str, generation: int) -> None:
    """The same photo in another object."""
    change = update(PHOTOS).where(PHOTOS.c.id == photo_id)
    rows.execute(change.values(object_name=object_name, generation=generation))


def forget_photos(rows: Rows, photo_ids: Sequence[str]) -> None:
    """Erase photos and the grants to see them."""
    for some in in_batches(photo_ids, AT_ONCE):
        rows.execute(delete(GRANTS).where(GRANTS.c.photo_id.in_(some)))
        rows.execute(delete(PHOTOS).where(PHOTOS.c.id.in_(some)))


def list_object_names(rows: Rows, names: Sequence[str]) -> set[str]:
    """Which of these objects some row names."""
    found: set[str] = set()
    for some in in_batches(names, AT_ONCE):
        wanted = select(PHOTOS.c.object_name).where(PHOTOS.c.object_name.in_(some))
        found.update(row.object_name for row in rows.execute(wanted))
    return found


def list_every_object_name(rows: Rows) -> set[str]:
    """Every object that some row names."""
    return set(rows.execute(select(PHOTOS.c.object_name)).scalars())


def add_grant(rows: Rows, site_id: str, token_hash: bytes, grant: ViewGrant) -> None:
    """Keep a grant under its token's hash."""
    rows.execute(
        insert(GRANTS),
        {
            "token_hash": token_hash,
            "site_id": site_id,
            "photo_id": grant.photo_id,
            "actor_id": grant.actor_id,
            "purpose": grant.purpose,
            "expires_at": grant.expires_at,
        },
    )


def find_grant(rows: Rows, site_id: str, token_hash: bytes) -> ViewGrant | None:
    """The grant of a token, or None."""
    wanted = select(GRANTS).where(GRANTS.c.token_hash == token_hash, GRANTS.c.site_id == site_id)
    row = rows.execute(wanted).one_or_none()
    return _grant(row) if row is not None else None


def burn_grant(rows: Rows, token_hash: bytes, now: datetime) -> None:
    """Use a grant up."""
    rows.execute(update(GRANTS).where(GRANTS.c.token_hash == token_hash).values(used_at=now))


def forget_grants(rows: Rows, before: datetime) -> None:
    """Erase grants that ended before an instant."""
    rows.execute(delete(GRANTS).where(GRANTS.c.expires_at < before))


def list_old_answers(rows: Rows, header: bytes, limit: int) -> list[tuple[str, bytes]]:
    """Sealed answers to a write (kept for a day by `platform.idempotency`) of another generation."""
    wanted = select(AnswerRow.id, AnswerRow.answer).where(header != GENERATION).limit(limit)
    return [(row.id, bytes(row.answer)) for row in rows.execute(wanted)]


def count_old_answers(rows: Rows, header: bytes) -> int:
    """How many of them."""
    return int(rows.scalar(select(func.count()).select_from(AnswerRow).where(header != GENERATION)) or 0)


def change_answer(rows: Rows, row_id: str, answer: bytes) -> None:
    """The same answer under another seal."""
    rows.execute(update(AnswerRow).where(AnswerRow.id == row_id).values(answer=answer))


def _of_purpose(query: Any, purpose: Purpose | None) -> Any:
    theirs = ReceiptRow.subject_id.startswith("vehicle_", autoescape=True)
    return query if purpose is None else query.where(theirs if purpose is Purpose.PLATES else ~theirs)


def _key(row: Row[Any]) -> WrappedKey:
    return WrappedKey(
        row.subject_id, row.key_id, row.site_id, Purpose(row.purpose), row.generation, bytes(row.wrapped)
    )


def _photo(row: Row[Any]) -> Photo:
    return Photo(row.id, row.site_id, row.subject_id, row.object_name, row.generation)


def _grant(row: Row[Any]) -> ViewGrant:
    return ViewGrant(row.photo_id, row.actor_id, row.purpose, row.expires_at, row.used_at is not None)
