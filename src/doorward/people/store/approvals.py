"""Proposals that wait for a second person."""

import json
from datetime import datetime
from typing import Any

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Mapped, mapped_column

from doorward.people.model.approvals import Action, Approval
from doorward.platform.db import Base, Rows
from doorward.platform.types import UtcDateTime


class ApprovalRow(Base):
    __tablename__ = "staff_approvals"

    id: Mapped[str] = mapped_column(primary_key=True)
    site_id: Mapped[str] = mapped_column(index=True)
    action: Mapped[str]
    facts: Mapped[str]
    digest: Mapped[str]
    sealed_reason: Mapped[bytes]
    proposed_by: Mapped[str]
    proposer_account: Mapped[str]
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime)
    approved_by: Mapped[str | None]
    used: Mapped[bool] = mapped_column(default=False)
    withdrawn: Mapped[bool] = mapped_column(default=False)


def add_approval(rows: Rows, approval: Approval) -> None:
    rows.add(
        ApprovalRow(
            id=approval.id,
            site_id=approval.site_id,
            action=approval.action,
            facts=json.dumps(dict(approval.facts), sort_keys=True),
            digest=approval.digest,
            sealed_reason=approval.sealed_reason,
            proposed_by=approval.proposed_by,
            proposer_account=approval.proposer_account,
            expires_at=approval.expires_at,
            approved_by=approval.approved_by,
            used=approval.used,
            withdrawn=approval.withdrawn,
        )
    )
    rows.flush()


def find_approval(rows: Rows, site_id: str, approval_id: str) -> Approval | None:
    query = select(ApprovalRow).where(ApprovalRow.id == approval_id, ApprovalRow.site_id == site_id)
    row = rows.scalar(query)
    return row and _approval(row)


def list_open_approvals(rows: Rows, site_id: str, now: datetime, *, after: str, limit: int) -> list[Approval]:
    query = select(ApprovalRow).where(
        ApprovalRow.site_id == site_id,
        ApprovalRow.id > after,
        ApprovalRow.used.is_(False),
        ApprovalRow.withdrawn.is_(False),
        ApprovalRow.expires_at > now,
    )
    return [_approval(row) for row in rows.execute(query.order_by(ApprovalRow.id).limit(limit)).scalars()]


def list_every_approval(rows: Rows) -> list[Approval]:
    return [_approval(row) for row in rows.execute(select(ApprovalRow)).scalars()]


def change_approval(rows: Rows, approval_id: str, **values: Any) -> None:
    rows.execute(update(ApprovalRow).where(ApprovalRow.id == approval_id).values(**values))


def forget_ended_approvals(rows: Rows, now: datetime) -> None:
    rows.execute(delete(ApprovalRow).where(ApprovalRow.expires_at <= now))


def _approval(row: ApprovalRow) -> Approval:
    return Approval(
        row.id,
        row.site_id,
        Action(row.action),
        json.loads(row.facts),
        row.digest,
        row.sealed_reason,
        row.proposed_by,
        row.proposer_account,
        row.expires_at,
        row.approved_by,
        row.used,
        row.withdrawn,
    )
