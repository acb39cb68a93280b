"""The vault over HTTP: one look at one photo, receipts of erasure, rotation of keys."""

from typing import Any

from fastapi import Depends
from fastapi.responses import Response
from pydantic import BaseModel, Field, SecretStr

from doorward.core.errors import Invalid
from doorward.core.permissions import EVERY_SITE, Permission
from doorward.platform.web import API_PREFIX, SITE_PREFIX, Call, Routes, current_call
from doorward.vault import service
from doorward.vault.model import KeyName, Purpose, Use

routes = Routes(SITE_PREFIX + "/vault", tag="vault")
house = Routes(API_PREFIX + "/vault", tag="vault")
ROUTES = (routes, house)


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
    """What `doorward_verify` checks offline."""

    body: dict[str, Any]
    key_id: str
    signature: str


class RotateIn(BaseModel):
    """Which key: its use and its purpose."""

    use: Use
    purpose: Purpose


class RotatedOut(BaseModel):
    """The generation now in use, and how many rows were moved to it."""

    key: str
    generation: int
    moved: int


class PublicKeysOut(BaseModel):
    """Every verification key that a purpose ever had, by key id, in hexadecimal."""

    keys: dict[str, str]


@routes.post("/photos/{photo_id}/grants", needs=Permission.PEOPLE_PHOTOS)
def grant_view(photo_id: str, body: GrantIn, call: Call = Depends(current_call)) -> GrantOut:
    """Leave to see one photo once; asking is recorded in that person's ledger."""
    with call.unit() as unit:
        vault = _vault(call)
        return GrantOut(token=service.grant_view(unit, vault, photo_id, purpose=body.purpose))


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
        receipt = service.find_receipt(unit, subject_id)
    return ReceiptOut(body=receipt.body, key_id=receipt.key_id, signature=receipt.signature.hex())


@house.get("/keys/{purpose}", needs=Permission.AUDIT_READ)
def list_public_keys(purpose: Purpose, call: Call = Depends(current_call)) -> PublicKeysOut:
    """Keys to verify signatures with; compare them with a copy that did not come from this server."""
    return PublicKeysOut(keys={name: raw.hex() for name, raw in _vault(call).public_keys(purpose).items()})


@house.post("/rotations", needs=Permission.VAULT_ROTATE)
def rotate(body: RotateIn, call: Call = Depends(current_call)) -> RotatedOut:
    """Replace a key and destroy the old one while everything goes on; a repeat resumes what was cut short."""
    name = KeyName(body.use, body.purpose)
    state = call.request.app.state
    movers: service.Movers = getattr(state, "movers", None) or service.vault_movers(_vault(call))
    if call.site_id != EVERY_SITE or name not in _vault(call).ring.read().keys:
        raise Invalid("There is no such key: see docs/security/keys.md for uses and purposes.")
    done = service.rotate(state.database, _vault(call), name, movers, actor=call.actor)
    return RotatedOut(key=str(done.name), generation=done.generation, moved=done.moved)


def _vault(call: Call) -> service.Vault:
    vault: service.Vault = call.request.app.state.vault
    return vault
