"""Staff accounts and their roles at a site (`*` is every site), over HTTP."""

from fastapi import Depends
from pydantic import BaseModel, Field

from doorward.core.permissions import Permission
from doorward.people.api.asked import Shape
from doorward.people.api.caller import vault_of
from doorward.people.model.roles import Assignment, Role
from doorward.people.model.staff import Staff
from doorward.people.rules.roles import ROLES
from doorward.people.service import roles as role_service
from doorward.people.service import staff as service
from doorward.platform.db import Unit
from doorward.platform.paging import PageRequest, make_page, page_request
from doorward.platform.web import SITE_PREFIX, Call, Routes, current_call

routes = Routes(SITE_PREFIX + "/staff", tag="staff")

NEEDS = Permission.STAFF_MANAGE


class StaffIn(Shape):
    """A colleague to invite, with a first role at this site."""

    login: str = Field(max_length=200)
    name: str = Field(max_length=200)
    role: Role


class InvitedOut(BaseModel):
    """The one-time token of `/welcome#TOKEN`, shown this once."""

    account_id: str
    token: str


class StaffOut(BaseModel):
    """A staff account."""

    account_id: str
    login: str
    name: str
    closed: bool
    has_password: bool
    has_second_factor: bool
    suspended: bool


class StaffListOut(BaseModel):
    """A page of accounts."""

    items: list[StaffOut]
    next_cursor: str | None


class RoleOut(BaseModel):
    """A role and what it may do."""

    role: Role
    rights: list[Permission]


class RolesOut(BaseModel):
    """Every role there is."""

    items: list[RoleOut]


class HeldOut(BaseModel):
    """A role that is held at a site."""

    site_id: str
    role: Role


class HeldRolesOut(BaseModel):
    """What an account holds."""

    items: list[HeldOut]


class ApprovalIn(Shape):
    """The approval that a deed for two people uses up."""

    approval_id: str | None = None


@routes.post("", needs=NEEDS, status_code=201)
def post_staff(body: StaffIn, call: Call = Depends(current_call)) -> InvitedOut:
    """Invite a colleague. The token is not kept, so this answer is not repeated."""
    with call.unit() as unit:
        account_id, token = service.create_staff(unit, vault_of(call), **body.model_dump())
    return InvitedOut(account_id=account_id, token=token)


@routes.get("", needs=NEEDS)
def get_staff_list(
    call: Call = Depends(current_call), wanted: PageRequest = Depends(page_request)
) -> StaffListOut:
    """Who works at this site."""
    with call.unit() as unit:
        page = make_page(service.list_staff(unit, vault_of(call), wanted), wanted, lambda one: one.id)
    return StaffListOut(items=[_out(one) for one in page.items], next_cursor=page.next_cursor)


@routes.get("/roles", needs=NEEDS)
def get_roles() -> RolesOut:
    """The table of roles."""
    return RolesOut(items=[RoleOut(role=role, rights=sorted(held)) for role, held in ROLES.items()])


@routes.get("/{account_id}", needs=NEEDS)
def get_staff(account_id: str, call: Call = Depends(current_call)) -> StaffOut:
    """One account."""
    with call.unit() as unit:
        role_service.require_may_manage(unit, account_id)
        return _out(service.read_staff(unit, vault_of(call), account_id))


@routes.get("/{account_id}/roles", needs=NEEDS)
def get_roles_of(account_id: str, call: Call = Depends(current_call)) -> HeldRolesOut:
    """What an account holds at the sites where the caller manages staff."""
    with call.reading() as unit:
        held = service.list_roles_of(unit, account_id)
    return HeldRolesOut(items=[_held(one) for one in held if call.actor.may(NEEDS, one.site_id)])


@routes.put("/{account_id}/roles/{role}", needs=NEEDS)
def put_role(account_id: str, role: Role, body: ApprovalIn, call: Call = Depends(current_call)) -> HeldOut:
    """Give a role at this site; administrator takes an approval."""

    def give(unit: Unit) -> HeldOut:
        role_service.give_role(unit, account_id, role, approval_id=body.approval_id)
        return HeldOut(site_id=unit.site_id, role=role)

    return call.once(HeldOut, give)


@routes.post("/{account_id}/roles/{role}/take", needs=NEEDS)
def post_take_role(
    account_id: str, role: Role, body: ApprovalIn, call: Call = Depends(current_call)
) -> HeldOut:
    """Take a role away at this site."""

    def take(unit: Unit) -> HeldOut:
        role_service.take_role(unit, account_id, role, approval_id=body.approval_id)
        return HeldOut(site_id=unit.site_id, role=role)

    return call.once(HeldOut, take)


@routes.post("/{account_id}/reset", needs=NEEDS)
def post_reset(account_id: str, body: ApprovalIn, call: Call = Depends(current_call)) -> InvitedOut:
    """Void password and second factors and invite anew."""
    with call.unit() as unit:
        token = service.reset_account(unit, vault_of(call), account_id, approval_id=body.approval_id)
    return InvitedOut(account_id=account_id, token=token)


@routes.post("/{account_id}/suspend", needs=NEEDS)
def post_suspend(account_id: str, body: ApprovalIn, call: Call = Depends(current_call)) -> None:
    """Let nobody in by an account until it is resumed."""
    with call.unit() as unit:
        service.suspend_account(unit, account_id, approval_id=body.approval_id)


@routes.post("/{account_id}/resume", needs=NEEDS)
def post_resume(account_id: str, body: ApprovalIn, call: Call = Depends(current_call)) -> None:
    """Let its owner in again."""
    with call.unit() as unit:
        service.resume_account(unit, account_id, approval_id=body.approval_id)


@routes.post("/{account_id}/close", needs=NEEDS)
def post_close(account_id: str, body: ApprovalIn, call: Call = Depends(current_call)) -> None:
    """End an account."""
    with call.unit() as unit:
        service.close_account(unit, account_id, approval_id=body.approval_id)


def _out(one: Staff) -> StaffOut:
    return StaffOut(
        account_id=one.id,
        login=one.login,
        name=one.name,
        closed=one.closed,
        has_password=one.has_password,
        has_second_factor=one.has_second_factor,
        suspended=one.suspended,
    )


def _held(one: Assignment) -> HeldOut:
    return HeldOut(site_id=one.site_id, role=one.role)
