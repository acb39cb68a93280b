"""The encrypted search over HTTP: how it stands, and what is done to it. No face, no score, nobody's id."""

from datetime import datetime

from fastapi import Depends
from pydantic import BaseModel, Field

from doorward.audit.ports import SecondPerson
from doorward.core.permissions import Permission
from doorward.gallery import service
from doorward.gallery.model import SchemeName
from doorward.gallery.service import KeyHolder
from doorward.platform.db import Unit
from doorward.platform.web import API_PREFIX, SITE_PREFIX, Call, Routes, current_call

routes = Routes(SITE_PREFIX + "/gallery", tag="gallery")
sweeps = Routes(API_PREFIX + "/gallery", tag="gallery")  # objects are shared by all sites
ROTATE = Permission.VAULT_ROTATE


class GalleryOut(BaseModel):
    """Sizes and states. `waiting` blocks are sealed anew soon, since somebody was forgotten; `renewed` faces
    are in the next gallery already, while `renewing`. `scheme` is by whose cryptography it is sealed.

    `made_at` is since when its secret rotation is in use; `trusted` is false after a forged answer.
    """

    gallery: str | None
    scheme: SchemeName | None
    faces: int
    blocks: int
    bytes: int
    waiting: int
    made_at: datetime | None
    trusted: bool
    distrusted_at: datetime | None
    renewing: bool
    renewed: int


class DeedIn(BaseModel):
    """The approval's id; its one fact is `gallery`, the id that `GET .../gallery` tells."""

    approval_id: str | None = Field(None, max_length=64)


class CheckedOut(BaseModel):
    """How many blocks were read, and how many of them were made anew."""

    blocks: int
    mended: int


class MendedOut(BaseModel):
    """How many blocks were made anew before the matcher was trusted."""

    mended: int


class SweptOut(BaseModel):
    """How many blocks were deleted."""

    blocks: int


@routes.get("", needs=ROTATE)
def show(call: Call = Depends(current_call)) -> GalleryOut:
    """How the encrypted search stands."""
    with call.reading() as unit:
        return _gallery(unit)


@routes.post("/renewals", needs=ROTATE, status_code=202)
def renew(body: DeedIn, call: Call = Depends(current_call)) -> GalleryOut:
    """Begin to seal everybody anew under new secrets; jobs do it while gates go on. Takes two people."""

    def deed(unit: Unit) -> GalleryOut:
        _second_person(call, unit, "gallery.renew", body)
        service.begin_rekey(unit, _keyholder(call))
        return _gallery(unit)

    return call.once(GalleryOut, deed)


@routes.post("/trust", needs=ROTATE)
def trust(body: DeedIn, call: Call = Depends(current_call)) -> MendedOut:
    """Ask the matcher again after a forged answer, once its cause is found. Takes two people."""

    def deed(unit: Unit) -> MendedOut:
        _second_person(call, unit, "gallery.trust", body)
        return MendedOut(mended=service.trust_again(unit, _keyholder(call)))

    return call.once(MendedOut, deed)


@routes.post("/checks", needs=ROTATE)
def check(call: Call = Depends(current_call)) -> CheckedOut:
    """Read every block, prove it by its name and its seal, and make anew whatever fails."""
    keyholder = _keyholder(call)
    with call.reading() as unit:
        kept = service.list_kept(unit)
        unsound = [one for one in kept if not service.is_sound(unit, keyholder, one)]
    with call.unit() as unit:
        mended = service.mend(unit, keyholder, unsound, checked=len(kept))
    return CheckedOut(blocks=len(kept), mended=mended)


@sweeps.post("/sweeps", needs=ROTATE)
def sweep(call: Call = Depends(current_call)) -> SweptOut:
    """Delete blocks of every site that were replaced more than ten minutes ago, as each hour does."""
    with call.unit() as unit:
        return SweptOut(blocks=service.sweep_blocks(unit, _keyholder(call)))


ROUTES = (routes, sweeps)


def _gallery(unit: Unit) -> GalleryOut:
    found = service.standing(unit)
    return GalleryOut(
        gallery=found.id,
        scheme=found.scheme,
        faces=found.faces,
        blocks=found.blocks,
        bytes=found.bytes,
        waiting=found.waiting,
        made_at=found.made_at,
        trusted=found.distrusted_at is None,
        distrusted_at=found.distrusted_at,
        renewing=found.rekeying,
        renewed=found.renewed,
    )


def _second_person(call: Call, unit: Unit, action: str, body: DeedIn) -> None:
    """Another person's word for this very gallery; `Conflict` below where there is none to speak of."""
    second_person: SecondPerson = call.request.app.state.second_person
    gallery = service.standing(unit).id
    if gallery is not None:
        second_person(unit, action, {"gallery": gallery}, body.approval_id)


def _keyholder(call: Call) -> KeyHolder:
    keyholder: KeyHolder = call.request.app.state.keyholder
    return keyholder
