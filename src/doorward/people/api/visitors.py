"""Visitors over HTTP."""

from fastapi import Depends

from doorward.core.permissions import Permission
from doorward.people import service
from doorward.people.api.asked import VisitIn
from doorward.people.api.caller import vault_of
from doorward.people.api.credentials import code_out
from doorward.people.api.told import Done, InvitationOut, PersonOut
from doorward.platform.db import Unit
from doorward.platform.web import SITE_PREFIX, Call, Routes, current_call

routes = Routes(SITE_PREFIX + "/visitors", tag="people")


@routes.post("", needs=Permission.PEOPLE_VISITORS)
def invite_visitor(body: VisitIn, call: Call = Depends(current_call)) -> InvitationOut:
    """Expect a visitor; the code in the answer opens during the visit and is told this once."""

    def deed(unit: Unit) -> InvitationOut:
        invited = service.invite_visitor(unit, vault_of(call), body.ours())
        return InvitationOut(visitor=PersonOut.model_validate(invited.visitor), code=code_out(invited.token))

    return call.once(InvitationOut, deed, about=lambda invited: invited.visitor.id, tells_secret=True)


@routes.post("/{person_id}/end", needs=Permission.PEOPLE_VISITORS)
def end_visit(person_id: str, call: Call = Depends(current_call)) -> Done:
    """End a visit now; the visitor is erased a day later."""

    def deed(unit: Unit) -> Done:
        service.end_visit(unit, person_id)
        return Done()

    return call.once(Done, deed)
