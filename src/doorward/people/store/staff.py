"""Staff accounts and the one-time links that lead into them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import delete, false, select, update
from sqlalchemy.orm import Mapped, mapped_column

from doorward.core.errors import NotFound
from doorward.people.model.staff import Account, Invitation
from doorward.platform.db import Base, Rows
from doorward.platform.types import UtcDateTime


class StaffRow(Base):
    __tablename__ = "staff_accounts"

    id: Mapped[str] = mapped_column(primary_key=True)
    login_blind: Mapped[bytes] = mapped_column(unique=True)
    sealed_login: Mapped[bytes]
    sealed_name: Mapped[bytes]
    password_hash: Mapped[str | None]
    generation: Mapped[int] = mapped_column(default=1)
    closed: Mapped[bool] = mapped_column(default=False)
    suspended: Mapped[bool] = mapped_column(default=False, server_default=false())
    made_at: Mapped[datetime] = mapped_column(UtcDateTime)


class InvitationRow(Base):
    __tablename__ = "staff_invitations"

    id: Mapped[str] = mapped_column(primary_key=True)
    token_hash: Mapped[bytes] = mapped_column(unique=True)
    account_id: Mapped[str | None] = mapped_column(index=True)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime)
    used: Mapped[bool] = mapped_column(default=False)


def add_account(rows: Rows, account: Account, login_blind: bytes) -> None:
    rows.add(
        StaffRow(
            id=account.id,
            login_blind=login_blind,
            sealed_login=account.sealed_login,
            sealed_name=account.sealed_name,
            password_hash=account.password_hash,
            generation=account.generation,
            closed=account.closed,
            made_at=account.made_at,
        )
    )
    rows.flush()


def find_account(rows: Rows, account_id: str) -> Account | None:
    return _account(rows.scalar(select(StaffRow).where(StaffRow.id == account_id)))


def get_account(rows: Rows, account_id: str) -> Account:
    account = find_account(rows, account_id)
    if account is None:
        raise NotFound("There is no such staff account here.")
    return account


def find_account_by_login(rows: Rows, blinds: Sequence[bytes]) -> Account | None:
    return _account(rows.scalar(select(StaffRow).where(StaffRow.login_blind.in_(blinds)).limit(1)))


def list_accounts(rows: Rows, *, after: str = "", limit: int | None = None) -> list[Account]:
    query = select(StaffRow).where(StaffRow.id > after).order_by(StaffRow.id)
    found = rows.execute(query.limit(limit) if limit else query).scalars()
    return [account for row in found if (account := _account(row))]


def change_account(rows: Rows, account_id: str, **values: Any) -> None:
    rows.execute(update(StaffRow).where(StaffRow.id == account_id).values(**values))


def raise_generation(rows: Rows, account_id: str) -> None:
    change_account(rows, account_id, generation=StaffRow.generation + 1)


def forget_account(rows: Rows, account_id: str) -> None:
    rows.execute(delete(StaffRow).where(StaffRow.id == account_id))


def add_invitation(rows: Rows, invitation: Invitation, token_hash: bytes) -> None:
    rows.add(
        InvitationRow(
            id=invitation.id,
            token_hash=token_hash,
            account_id=invitation.account_id,
            expires_at=invitation.expires_at,
            used=invitation.used,
        )
    )
    rows.flush()


def find_invitation(rows: Rows, token_hash: bytes) -> Invitation | None:
    row = rows.scalar(select(InvitationRow).where(InvitationRow.token_hash == token_hash))
    return row and Invitation(row.id, row.account_id, row.expires_at, row.used)


def use_invitation(rows: Rows, invitation_id: str) -> bool:
    change = update(InvitationRow).where(InvitationRow.id == invitation_id, InvitationRow.used.is_(False))
    return bool(getattr(rows.execute(change.values(used=True)), "rowcount", 0))


def forget_invitations_of(rows: Rows, account_id: str | None) -> None:
    """Those of one account, or of the first administrator."""
    rows.execute(delete(InvitationRow).where(InvitationRow.account_id.is_not_distinct_from(account_id)))


def forget_expired_invitations(rows: Rows, now: datetime) -> None:
    rows.execute(delete(InvitationRow).where(InvitationRow.expires_at <= now))


def _account(row: StaffRow | None) -> Account | None:
    if row is None:
        return None
    return Account(
        row.id,
        row.sealed_login,
        row.sealed_name,
        row.password_hash,
        row.generation,
        row.closed,
        row.made_at,
        row.suspended,
    )
