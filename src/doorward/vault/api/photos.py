"""The vault over HTTP: one look at one photo, receipts of erasure."""

from datetime import datetime
from typing import Any

from fastapi import Depends
from fastapi.responses import Response
from pydantic import BaseModel, Field, SecretStr

from doorward.core.permissions import Permission
from doorward.platform.web import SITE_PREFIX, Call, Routes, current_call
from doorward.vault import service
from doorward.vault.ports import Looks

routes = Routes(SITE_PREFIX + "/vault", tag="vault")


class GrantIn(BaseModel):
    """Why the photo must be seen, as a short code such as `guard-check`."""

    purpose: str = Field(max_length=40)


class GrantOut(BaseModel):
    """A token for one look, by the same caller, within two minutes."""

    token: str


class RedeemIn(BaseModel):
    """The token; it travels in the body, so that no address or log holds it."""

    token: SecretStr


class ReceiptOut(BaseModel):
    """What `doorward_verify` checks offline; `closed_at` stands beside it, outside of the signature.

    Since then no copy of the database from before opens this subject with today's key ring; null: within
    minutes, once the ratchet has turned.
    """

    body: dict[str, Any]
    key_id: str
    signature: str
    closed_at: datetime | None


@routes.post("/photos/{photo_id}/grants", needs=Permission.PEOPLE_PHOTOS)
def grant_view(photo_id: str, body: GrantIn, call: Call = Depends(current_call)) -> GrantOut:
    """Leave to see one photo once; asking is recorded in that person's ledger.

    Those of many persons in a short time take two people.
    """
    looks: Looks = call.request.app.state.looks
    with call.unit() as unit:
        refused = looks(unit, [service.subject_of(unit, photo_id)])
        if refused is None:
            return GrantOut(token=service.grant_view(unit, _vault(call), photo_id, purpose=body.purpose))
    raise refused


@routes.post("/views", needs=Permission.PEOPLE_PHOTOS, response_class=Response)
def redeem_view(body: RedeemIn, call: Call = Depends(current_call)) -> Response:
    """The JPEG behind a token, which is thereby used up; the look is recorded."""
    with call.unit() as unit:
        jpeg = service.redeem_view(unit, _vault(call), body.token.get_secret_value())
    return Response(jpeg, media_type="image/jpeg", headers={"Cache-Control": "no-store"})


@routes.get("/receipts/{subject_id}", needs=Permission.PEOPLE_ERASE)
def read_receipt(subject_id: str, call: Call = Depends(current_call)) -> ReceiptOut:
    """The receipt of an erasure."""
    with call.reading() as unit:
        receipt, closed_at = service.find_receipt(unit, subject_id), service.closed_at(unit, subject_id)
    signature = receipt.signature.hex()
    return ReceiptOut(body=receipt.body, key_id=receipt.key_id, signature=signature, closed_at=closed_at)


def _vault(call: Call) -> service.Vault:
    vault: service.Vault = call.request.app.state.vault
    return vault
