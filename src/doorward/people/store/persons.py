"""Persons, their groups and the log of gallery changes."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Executable, bindparam, delete, exists, func, select, update
from sqlalchemy.orm import Mapped, mapped_column

from doorward.people.model import Basis, Group, Kind, Person, Standing
from doorward.people.store.faces import TemplateRow
from doorward.platform.db import Base, Rows
from doorward.platform.types import UtcDateTime


class PersonRow(Base):
    __tablename__ = "people_persons"

    id: Mapped[str] = mapped_column(primary_key=True)
    site_id: Mapped[str] = mapped_column(index=True)
    kind: Mapped[str]
    name: Mapped[bytes]
    name_blind: Mapped[bytes] = mapped_column(index=True)
    id_number: Mapped[bytes | None]
    id_number_blind: Mapped[bytes | None] = mapped_column(index=True)
    basis: Mapped[str]
    notice_version: Mapped[str]
    added_at: Mapped[datetime] = mapped_column(UtcDateTime)
    valid_from: Mapped[datetime | None] = mapped_column(UtcDateTime)
    valid_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    suspended: Mapped[bool] = mapped_column(default=False)
    passback_exempt: Mapped[bool] = mapped_column(default=False)
    host_id: Mapped[str | None]


class GroupRow(Base):
    __tablename__ = "people_groups"

    id: Mapped[str] = mapped_column(primary_key=True)
    site_id: Mapped[str] = mapped_column(index=True)
    name: Mapped[str]


class MembershipRow(Base):
    __tablename__ = "people_memberships"

    subject_id: Mapped[str] = mapped_column(primary_key=True)
    group_id: Mapped[str] = mapped_column(primary_key=True)


PERSONS: Any = PersonRow.__table__
MEMBERSHIPS: Any = MembershipRow.__table__
TEMPLATES: Any = TemplateRow.__table__
# Built once: every passage asks these.
FIND_PERSON = select(
    PERSONS, exists().where(TEMPLATES.c.person_id == PERSONS.c.id).correlate(PERSONS).label("has_face")
).where(PERSONS.c.id == bindparam("person"), PERSONS.c.site_id == bindparam("site"))
STANDING = (
    select(PERSONS, MEMBERSHIPS.c.group_id)
    .outerjoin(MEMBERSHIPS, MEMBERSHIPS.c.subject_id == PERSONS.c.id)
    .where(PERSONS.c.id == bindparam("person"), PERSONS.c.site_id == bindparam("site"))
)
GROUPS_OF = select(MEMBERSHIPS.c.group_id).where(MEMBERSHIPS.c.subject_id == bindparam("subject"))


def add_person(rows: Rows, site_id: str, person: Person, sealed: dict[str, bytes | None]) -> None:
    """`sealed` holds name, name_blind, id_number and id_number_blind."""
    rows.add(
        PersonRow(
            id=person.id,
            site_id=site_id,
            kind=person.kind,
            basis=person.basis,
            notice_version=person.notice_version,
            added_at=person.added_at,
            valid_from=person.valid_from,
            valid_until=person.valid_until,
            suspended=person.suspended,
            passback_exempt=person.passback_exempt,
            host_id=person.host_id,
            **sealed,
        )
    )
    rows.flush()


def find_person(rows: Rows, site_id: str, person_id: str) -> Person | None:
    row = rows.execute(FIND_PERSON, {"person": person_id, "site": site_id}).first()
    return _person(row, has_face=row.has_face) if row else None


def find_standing(rows: Rows, site_id: str, person_id: str) -> Standing | None:
    """What limits a person's passages, in one look."""
    found = rows.execute(STANDING, {"person": person_id, "site": site_id}).all()
    if not found:
        return None
    row = found[0]
    return Standing(
        subject_id=person_id,
        kind=row.kind,
        valid_from=row.valid_from,
        valid_until=row.valid_until,
        suspended=row.suspended,
        group_ids=frozenset(one.group_id for one in found if one.group_id is not None),
        passback_exempt=row.passback_exempt,
    )


def find_sealed(rows: Rows, site_id: str, person_id: str) -> tuple[bytes, bytes | None] | None:
    """Sealed name and ID number."""
    query = select(PersonRow.name, PersonRow.id_number)
    row = rows.execute(query.where(PersonRow.id == person_id, PersonRow.site_id == site_id)).first()
    return (row.name, row.id_number) if row else None


def list_by_blind(rows: Rows, site_id: str, column: str, blinds: Sequence[bytes]) -> list[str]:
    """Ids of those whose keyed name (`name_blind`) or ID number (`id_number_blind`) is among these."""
    kept = getattr(PersonRow, column)
    query = select(PersonRow.id).where(PersonRow.site_id == site_id, kept.in_(blinds)).order_by(PersonRow.id)
    return list(rows.execute(query).scalars())


def list_persons(rows: Rows, site_id: str, after: str | None, limit: int) -> list[Person]:
    has_face = exists().where(TemplateRow.person_id == PersonRow.id)
    query = select(PersonRow, has_face.label("has_face"))
    here = query.where(PersonRow.site_id == site_id, PersonRow.id > (after or ""))
    found = rows.execute(here.order_by(PersonRow.id).limit(limit))
    return [_person(row.PersonRow, has_face=bool(row.has_face)) for row in found]


def list_site_ids(rows: Rows) -> list[str]:
    """Every site that knows anybody."""
    return list(rows.execute(select(PersonRow.site_id).distinct()).scalars())


def count_persons(rows: Rows, site_id: str) -> int:
    return int(rows.scalar(select(func.count()).where(PersonRow.site_id == site_id)) or 0)


def change_person(rows: Rows, person_id: str, **values: object) -> None:
    rows.execute(update(PersonRow).where(PersonRow.id == person_id).values(**values))


def forget_person(rows: Rows, person_id: str) -> None:
    leave_groups(rows, person_id)
    rows.execute(delete(PersonRow).where(PersonRow.id == person_id))


def list_ended_visitors(rows: Rows, site_id: str, before: datetime) -> list[str]:
    query = select(PersonRow.id).where(
        PersonRow.site_id == site_id, PersonRow.kind == Kind.VISITOR, PersonRow.valid_until < before
    )
    return list(rows.execute(query).scalars())


def add_group(rows: Rows, site_id: str, group: Group) -> None:
    rows.add(GroupRow(id=group.id, site_id=site_id, name=group.name))
    rows.flush()


def list_groups(rows: Rows, site_id: str) -> list[Group]:
    found = rows.execute(select(GroupRow).where(GroupRow.site_id == site_id).order_by(GroupRow.name))
    return [Group(row.id, row.name) for row in found.scalars()]


def forget_group(rows: Rows, site_id: str, group_id: str) -> bool:
    """Erase a group and who was in it; whether there was one."""
    gone = rows.execute(delete(GroupRow).where(GroupRow.id == group_id, GroupRow.site_id == site_id))
    if not getattr(gone, "rowcount", 0):
        return False
    rows.execute(delete(MembershipRow).where(MembershipRow.group_id == group_id))
    return True


def join_group(rows: Rows, subject_id: str, group_id: str) -> None:
    if rows.scalar(_membership(subject_id, group_id)) is None:
        rows.add(MembershipRow(subject_id=subject_id, group_id=group_id))
        rows.flush()


def leave_group(rows: Rows, subject_id: str, group_id: str) -> None:
    here = (MembershipRow.subject_id == subject_id, MembershipRow.group_id == group_id)
    rows.execute(delete(MembershipRow).where(*here))


def leave_groups(rows: Rows, subject_id: str) -> None:
    """Count a subject among no group."""
    rows.execute(delete(MembershipRow).where(MembershipRow.subject_id == subject_id))


def groups_of(rows: Rows, subject_id: str) -> frozenset[str]:
    return frozenset(rows.execute(GROUPS_OF, {"subject": subject_id}).scalars())


def _membership(subject_id: str, group_id: str) -> Executable:
    return select(MembershipRow).where(
        MembershipRow.subject_id == subject_id, MembershipRow.group_id == group_id
    )


def _person(row: Any, *, has_face: bool) -> Person:
    return Person(
        id=row.id,
        kind=Kind(row.kind),
        basis=Basis(row.basis),
        notice_version=row.notice_version,
        added_at=row.added_at,
        valid_from=row.valid_from,
        valid_until=row.valid_until,
        suspended=row.suspended,
        passback_exempt=row.passback_exempt,
        host_id=row.host_id,
        has_face=has_face,
    )
