"""Proposals that wait for a second person, over HTTP."""

from datetime import datetime

from fastapi import Depends
from pydantic import BaseModel, Field

from doorward.core.permissions import Permission, SignedIn
from doorward.people.api.asked import Shape
from doorward.people.api.caller import vault_of
from doorward.people.model.approvals import Action, Approval
from doorward.people.service import approvals as service
from doorward.platform.db import Unit
from doorward.platform.paging import PageRequest, make_page, page_request
from doorward.platform.web import SITE_PREFIX, Call, Routes, current_call
from doorward.vault.service import Vault

routes = Routes(SITE_PREFIX + "/approvals", tag="approvals")

PROPOSER = SignedIn(because="the right depends on the action proposed; the deed checks it")


class ProposalIn(Shape):
    """What is to be done, with the exact facts (ids and numbers) it will be done with, and why."""

    action: Action
    facts: dict[str, str | int | list[str]]
    reason: str = Field(max_length=2000)


class ProposedOut(BaseModel):
    """Send this id with the deed once it is approved."""

    approval_id: str


class ApprovalOut(BaseModel):
    """A proposal, without its reason."""

    approval_id: str
    action: Action
    facts: dict[str, str | int | list[str]]
    proposed_by: str
    approved_by: str | None
    expires_at: datetime


class ReasonedApprovalOut(ApprovalOut):
    """A proposal with its reason."""

    reason: str


class ApprovalsOut(BaseModel):
    """A page of open proposals."""

    items: list[ApprovalOut]
    next_cursor: str | None


@routes.post("", needs=PROPOSER, status_code=201)
def post_proposal(body: ProposalIn, call: Call = Depends(current_call)) -> ProposedOut:
    """Ask for a second person."""

    def ask(unit: Unit) -> ProposedOut:
        made = service.propose(unit, vault_of(call), body.action, body.facts, body.reason)
        return ProposedOut(approval_id=made)

    return call.once(ProposedOut, ask)


@routes.get("", needs=Permission.STAFF_APPROVE)
def get_approvals(
    call: Call = Depends(current_call), wanted: PageRequest = Depends(page_request)
) -> ApprovalsOut:
    """What waits here."""
    with call.reading() as unit:
        page = make_page(service.list_approvals(unit, wanted), wanted, lambda one: one.id)
    items = [ApprovalOut.model_validate(_facts(one)) for one in page.items]
    return ApprovalsOut(items=items, next_cursor=page.next_cursor)


@routes.get("/{approval_id}", needs=Permission.STAFF_APPROVE)
def get_approval(approval_id: str, call: Call = Depends(current_call)) -> ReasonedApprovalOut:
    """One proposal and why it was made."""
    with call.unit() as unit:
        return _reasoned(unit, vault_of(call), service.get_approval(unit, approval_id))


@routes.post("/{approval_id}/approve", needs=Permission.STAFF_APPROVE)
def post_approve(approval_id: str, call: Call = Depends(current_call)) -> ReasonedApprovalOut:
    """Agree, as another person."""

    def agree(unit: Unit) -> ReasonedApprovalOut:
        return _reasoned(unit, vault_of(call), service.approve(unit, approval_id))

    return call.once(ReasonedApprovalOut, agree)


@routes.post("/{approval_id}/withdraw", needs=PROPOSER)
def post_withdraw(approval_id: str, call: Call = Depends(current_call)) -> None:
    """Take back or refuse a proposal."""
    with call.unit() as unit:
        service.withdraw(unit, approval_id)


def _facts(one: Approval) -> dict[str, object]:
    return {
        "approval_id": one.id,
        "action": one.action,
        "facts": dict(one.facts),
        "proposed_by": one.proposed_by,
        "approved_by": one.approved_by,
        "expires_at": one.expires_at,
    }


def _reasoned(unit: Unit, vault: Vault, one: Approval) -> ReasonedApprovalOut:
    return ReasonedApprovalOut.model_validate(_facts(one) | {"reason": service.reason_of(unit, vault, one)})
