"""Who holds which role where."""

from sqlalchemy import and_, delete, select
from sqlalchemy.orm import Mapped, mapped_column

from doorward.core.permissions import EVERY_SITE
from doorward.people.model.roles import Assignment, Role
from doorward.people.store.factors import has_second_factor
from doorward.people.store.staff import StaffRow
from doorward.platform.db import Base, Rows


class AssignmentRow(Base):
    __tablename__ = "staff_roles"

    account_id: Mapped[str] = mapped_column(primary_key=True)
    site_id: Mapped[str] = mapped_column(primary_key=True)
    role: Mapped[str] = mapped_column(primary_key=True)


OPEN = and_(StaffRow.closed.is_(False), StaffRow.suspended.is_(False))


def list_assignments(rows: Rows, account_id: str) -> list[Assignment]:
    query = select(AssignmentRow).where(AssignmentRow.account_id == account_id)
    found = rows.execute(query.order_by(AssignmentRow.site_id, AssignmentRow.role)).scalars()
    return [_assignment(row) for row in found]


def list_open_assignments(rows: Rows, site_id: str) -> list[Assignment]:
    """Of open accounts, at one site and at every site."""
    query = (
        select(AssignmentRow)
        .join(StaffRow, StaffRow.id == AssignmentRow.account_id)
        .where(OPEN, AssignmentRow.site_id.in_((site_id, EVERY_SITE)))
    )
    return [_assignment(row) for row in rows.execute(query).scalars()]


def list_administrators(rows: Rows, *, usable: bool = True) -> list[str]:
    """Open accounts that administer every site; usable ones have a second factor."""
    query = (
        select(AssignmentRow.account_id)
        .join(StaffRow, StaffRow.id == AssignmentRow.account_id)
        .where(
            OPEN,
            AssignmentRow.role == Role.ADMINISTRATOR,
            AssignmentRow.site_id == EVERY_SITE,
        )
    )
    found = list(rows.execute(query).scalars())
    return [account_id for account_id in found if not usable or has_second_factor(rows, account_id)]


def add_assignment(rows: Rows, held: Assignment) -> bool:
    """Whether it was not held already."""
    if held in list_assignments(rows, held.account_id):
        return False
    rows.add(AssignmentRow(account_id=held.account_id, site_id=held.site_id, role=held.role))
    rows.flush()
    return True


def forget_assignment(rows: Rows, held: Assignment) -> bool:
    gone = delete(AssignmentRow).where(
        AssignmentRow.account_id == held.account_id,
        AssignmentRow.site_id == held.site_id,
        AssignmentRow.role == held.role,
    )
    return bool(getattr(rows.execute(gone), "rowcount", 0))


def _assignment(row: AssignmentRow) -> Assignment:
    return Assignment(row.account_id, row.site_id, Role(row.role))
