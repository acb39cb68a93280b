"""Cards, codes and PINs over HTTP; numbers go in and never come out."""

from fastapi import Depends

from doorward.core.permissions import Permission
from doorward.people import service
from doorward.people.api.asked import CardIn, PinIn
from doorward.people.api.caller import vault_of
from doorward.people.api.told import CodeOut, CredentialOut, CredentialsOut, Done
from doorward.platform.db import Unit
from doorward.platform.web import SITE_PREFIX, Call, Routes, current_call

routes = Routes(SITE_PREFIX + "/persons/{person_id}", tag="people")
READ, MANAGE = Permission.PEOPLE_READ, Permission.PEOPLE_MANAGE


@routes.get("/credentials", needs=READ)
def list_credentials(person_id: str, call: Call = Depends(current_call)) -> CredentialsOut:
    """What a person may show at a door, without numbers."""
    with call.unit() as unit:
        found = service.list_credentials(unit, person_id)
        pin_is_set = service.has_pin(unit, person_id)
    return CredentialsOut(
        items=[CredentialOut(id=one, kind=kind) for one, kind in found], pin_is_set=pin_is_set
    )


@routes.post("/cards", needs=MANAGE)
def add_card(person_id: str, body: CardIn, call: Call = Depends(current_call)) -> CredentialOut:
    """Give somebody a card."""

    def deed(unit: Unit) -> CredentialOut:
        return CredentialOut(id=service.add_card(unit, vault_of(call), person_id, body.number), kind="card")

    return call.once(CredentialOut, deed)


@routes.post("/qr", needs=MANAGE)
def issue_qr(person_id: str, call: Call = Depends(current_call)) -> CodeOut:
    """Issue a fresh code, told this once; former codes stop working."""

    def deed(unit: Unit) -> CodeOut:
        return code_out(service.issue_qr(unit, vault_of(call), person_id))

    return call.once(CodeOut, deed, tells_secret=True)


@routes.delete("/credentials/{credential_id}", needs=MANAGE)
def remove_credential(person_id: str, credential_id: str, call: Call = Depends(current_call)) -> Done:
    """End a card or code at once."""

    def deed(unit: Unit) -> Done:
        service.remove_credential(unit, person_id, credential_id)
        return Done()

    return call.once(Done, deed)


@routes.put("/pin", needs=MANAGE)
def set_pin(person_id: str, body: PinIn, call: Call = Depends(current_call)) -> Done:
    """Set a PIN in place of a former one."""

    def deed(unit: Unit) -> Done:
        service.set_pin(unit, vault_of(call), person_id, body.pin, duress=body.duress)
        return Done()

    return call.once(Done, deed)


@routes.delete("/pin", needs=MANAGE)
def remove_pin(person_id: str, call: Call = Depends(current_call)) -> Done:
    """End a PIN at once."""

    def deed(unit: Unit) -> Done:
        service.remove_pin(unit, person_id)
        return Done()

    return call.once(Done, deed)


def code_out(token: str) -> CodeOut:
    """A code with its picture."""
    return CodeOut(token=token, svg=service.qr_picture(token).decode())
