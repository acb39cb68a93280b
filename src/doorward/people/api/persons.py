"""Persons over HTTP: lists show ids; a name is shown singly, for a purpose, and the look is recorded."""

from collections.abc import Iterable

from fastapi import Depends

from doorward.core.permissions import Permission
from doorward.people import service
from doorward.people.api.asked import (
    CorrectionIn,
    ExportIn,
    ExportManyIn,
    LimitsIn,
    LookOnIn,
    ManyIn,
    PersonIn,
    SearchIn,
    SuspensionIn,
)
from doorward.people.api.caller import vault_of
from doorward.people.api.told import (
    Done,
    ExportOut,
    ExportsOut,
    FoundOut,
    PersonOut,
    PersonsOut,
    PersonViewOut,
    ReceiptOut,
    ReceiptsOut,
)
from doorward.people.model.approvals import Action
from doorward.people.rules.approvals import Bound
from doorward.people.service import looking
from doorward.people.service.approvals import few_persons, require_few
from doorward.platform.db import Unit
from doorward.platform.paging import PageRequest, make_page, page_request
from doorward.platform.web import SITE_PREFIX, Call, Routes, current_call
from doorward.vault.ports import Looks
from doorward.vault.service import list_photos

routes = Routes(SITE_PREFIX + "/persons", tag="people")
READ, MANAGE = Permission.PEOPLE_READ, Permission.PEOPLE_MANAGE


def bound_of(call: Call) -> Bound:
    """How many persons are few."""
    return few_persons(call.request.app.state.settings.four_eyes)


def refused_look(call: Call, unit: Unit, subject_ids: Iterable[str]) -> Exception | None:
    """What to raise, after this unit, if the caller looks at too many; else the look is counted."""
    looks: Looks = call.request.app.state.looks
    return looks(unit, subject_ids)


@routes.get("", needs=READ)
def list_persons(
    wanted: PageRequest = Depends(page_request), call: Call = Depends(current_call)
) -> PersonsOut:
    """Ids, kinds and limits; no names."""
    with call.unit() as unit:
        page = make_page(service.list_persons(unit, wanted), wanted, lambda person: person.id)
    items = [PersonOut.model_validate(person) for person in page.items]
    return PersonsOut(items=items, next_cursor=page.next_cursor)


@routes.post("", needs=MANAGE)
def add_person(body: PersonIn, call: Call = Depends(current_call)) -> PersonOut:
    """Register a member."""

    def deed(unit: Unit) -> PersonOut:
        return PersonOut.model_validate(service.add_person(unit, vault_of(call), body.ours()))

    return call.once(PersonOut, deed, about=lambda added: added.id)


@routes.post("/erasures", needs=Permission.PEOPLE_ERASE)
def forget_persons(body: ManyIn, call: Call = Depends(current_call)) -> ReceiptsOut:
    """Erase several persons for good, all or none; the answer is the receipts. Many take two people."""

    def deed(unit: Unit) -> ReceiptsOut:
        require_few(unit, bound_of(call), Action.ERASE_MANY, body.person_ids, body.approval_id)
        erased = [service.forget_person(unit, vault_of(call), one) for one in sorted(set(body.person_ids))]
        return ReceiptsOut(items=[ReceiptOut.of(one) for one in erased])

    return call.once(ReceiptsOut, deed)


@routes.post("/exports", needs=MANAGE)
def export_persons(body: ExportManyIn, call: Call = Depends(current_call)) -> ExportsOut:
    """Everything held about several persons; many take two people. Each export is recorded."""
    with call.unit() as unit:
        require_few(unit, bound_of(call), Action.EXPORT_MANY, body.person_ids, body.approval_id)
        vault, purpose = vault_of(call), body.purpose
        ids = sorted(set(body.person_ids))
        return ExportsOut(items=[service.export_person(unit, vault, one, purpose=purpose) for one in ids])


@routes.post("/search", needs=READ)
def search(body: SearchIn, call: Call = Depends(current_call)) -> FoundOut:
    """Ids of whoever has exactly this name or ID number; the search is recorded with each person found."""
    with call.unit() as unit:
        if body.name is not None:
            found = service.find_by_name(unit, vault_of(call), body.name)
        else:
            found = service.find_by_id_number(unit, vault_of(call), body.id_number or "")
        refused = refused_look(call, unit, found)
    if refused is not None:
        raise refused
    return FoundOut(ids=found)


@routes.post("/looks", needs=READ)
def look_on(body: LookOnIn, call: Call = Depends(current_call)) -> Done:
    """Look on after many looks in a short time, because a second person agreed."""

    def deed(unit: Unit) -> Done:
        looking.look_on(unit, body.approval_id)
        return Done()

    return call.once(Done, deed)


@routes.get("/{person_id}", needs=READ)
def view_person(person_id: str, purpose: str, call: Call = Depends(current_call)) -> PersonViewOut:
    """One person with name and ID number, for a purpose stated as a short code; the look is recorded.

    Many different ones in a short time take two people.
    """
    with call.unit() as unit:
        refused = refused_look(call, unit, [service.get_person(unit, person_id).id])
        if refused is None:
            view = service.view_person(unit, vault_of(call), person_id, purpose=purpose)
            return PersonViewOut.of(view, service.groups_of(unit, person_id), list_photos(unit, person_id))
    raise refused


@routes.put("/{person_id}/identity", needs=MANAGE)
def correct_person(person_id: str, body: CorrectionIn, call: Call = Depends(current_call)) -> Done:
    """Set right a wrong name or ID number."""

    def deed(unit: Unit) -> Done:
        service.correct_person(unit, vault_of(call), person_id, name=body.name, id_number=body.id_number)
        return Done()

    return call.once(Done, deed)


@routes.put("/{person_id}/limits", needs=MANAGE)
def limit_person(person_id: str, body: LimitsIn, call: Call = Depends(current_call)) -> PersonOut:
    """Set from when until when somebody may pass."""

    def deed(unit: Unit) -> PersonOut:
        return PersonOut.model_validate(service.limit_person(unit, person_id, **dict(body)))

    return call.once(PersonOut, deed)


@routes.put("/{person_id}/suspension", needs=MANAGE)
def suspend_person(person_id: str, body: SuspensionIn, call: Call = Depends(current_call)) -> Done:
    """Stop somebody's passages until further notice, or let them pass again."""

    def deed(unit: Unit) -> Done:
        service.get_person(unit, person_id)
        service.suspend(unit, person_id, suspended=body.suspended)
        return Done()

    return call.once(Done, deed)


@routes.post("/{person_id}/export", needs=MANAGE)
def export_person(person_id: str, body: ExportIn, call: Call = Depends(current_call)) -> ExportOut:
    """Everything held about one person, for that person (GDPR Articles 15 and 20); the export is recorded.

    Many in a short time take two people.
    """
    with call.unit() as unit:
        require_few(unit, bound_of(call), Action.EXPORT_MANY, [person_id], body.approval_id)
        content = service.export_person(unit, vault_of(call), person_id, purpose=body.purpose)
    return ExportOut(content=content)


@routes.delete("/{person_id}", needs=Permission.PEOPLE_ERASE)
def forget_person(
    person_id: str, approval_id: str | None = None, call: Call = Depends(current_call)
) -> ReceiptOut:
    """Erase a person for good; the answer is the signed receipt. Many in a short time take two people."""

    def deed(unit: Unit) -> ReceiptOut:
        require_few(unit, bound_of(call), Action.ERASE_MANY, [person_id], approval_id)
        return ReceiptOut.of(service.forget_person(unit, vault_of(call), person_id))

    return call.once(ReceiptOut, deed)
