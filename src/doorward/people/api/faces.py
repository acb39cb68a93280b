"""Faces over HTTP: photos come in as a form, are judged in memory, and never touch the disk in the clear."""

from dataclasses import dataclass

import cv2
import numpy as np
from fastapi import Depends
from numpy.typing import NDArray
from starlette.datastructures import FormData, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser

from doorward.core.errors import Denied, DoorwardError, Invalid
from doorward.core.permissions import Permission
from doorward.people import service
from doorward.people.api.caller import recogniser_of
from doorward.people.api.told import Done, EnrolmentOut
from doorward.people.model import Approved, Basis, Enrolment, FrameVerdict
from doorward.platform.db import Unit
from doorward.platform.web import SITE_PREFIX, Call, Routes, current_call
from doorward.vision.decoding import decode_image
from doorward.vision.model import FaceProblem
from doorward.vision.quality import Assessment, assess

routes = Routes(SITE_PREFIX + "/persons/{person_id}/face", tag="people")
MOST_PHOTOS = 10
MOST_FIELDS = 8
# Larger than any body we take: a larger part would otherwise be written to a temporary file.
IN_MEMORY = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Sent:
    """What came with the form."""

    photos: tuple[bytes, ...]
    basis: Basis
    notice: str
    override_reason: str | None
    distinct_reason: str | None
    approval_id: str | None
    keep_photos: bool


@dataclass(frozen=True, slots=True)
class Judged:
    """One photo as it was judged; `unreadable` says why it could not even be decoded."""

    assessment: Assessment
    pixels: NDArray[np.uint8] | None
    unreadable: str = ""


async def sent_with(call: Call = Depends(current_call)) -> Sent:
    """A FastAPI dependency: the form, read without a temporary file; `Invalid` says what is wrong with it."""
    if not call.request.headers.get("content-type", "").startswith("multipart/form-data"):
        raise Invalid("Send the photos as multipart/form-data, each as a part named photos.")
    form = await parse_form(call)
    try:
        return await _read(form)
    finally:
        await form.close()


async def _read(form: FormData) -> Sent:
    parts = [part for part in form.getlist("photos") if isinstance(part, UploadFile)]
    if not parts:
        raise Invalid("Send at least one photo, as a part named photos.")
    photos = [await part.read() for part in parts]
    return Sent(
        tuple(photos),
        _basis(_text(form, "basis")),
        _text(form, "notice") or "",
        _text(form, "override_reason"),
        _text(form, "distinct_reason"),
        _text(form, "approval_id"),
        keep_photos=_text(form, "keep_photos") == "true",
    )


async def parse_form(call: Call) -> FormData:
    """The form with every part in memory."""
    parser = MultiPartParser(
        call.request.headers, call.request.stream(), max_files=MOST_PHOTOS, max_fields=MOST_FIELDS
    )
    parser.spool_max_size = IN_MEMORY
    try:
        return await parser.parse()
    except (MultiPartException, KeyError) as error:
        raise Invalid(
            f"The form cannot be read: send at most {MOST_PHOTOS} photos, properly framed."
        ) from error


@routes.post("", needs=Permission.PEOPLE_ENROL)
def enrol_face(
    person_id: str, sent: Sent = Depends(sent_with), call: Call = Depends(current_call)
) -> EnrolmentOut:
    """Enrol from a form with parts `photos` (three or more), `basis` and `notice`.

    `override_reason` enrols from one or two photos; `distinct_reason` enrols a face like another person's
    and takes two people: send the `approval_id` of a `people.enrol-alike` with the facts `person` and `alike`
    (as `likely_same_as` named them). `keep_photos=true` keeps the accepted photos, encrypted.
    """
    alone = sent.distinct_reason and not sent.approval_id
    if alone and not call.actor.may(Permission.STAFF_APPROVE, call.site_id):
        raise Denied("This needs a second person: propose people.enrol-alike and send its id as approval_id.")
    judged = [_judge(photo) for photo in sent.photos]

    def deed(unit: Unit) -> EnrolmentOut:
        made = service.enrol_face(
            unit,
            recogniser_of(call),
            person_id,
            [one.assessment for one in judged],
            basis=sent.basis,
            notice=sent.notice,
            override_reason=sent.override_reason,
            distinct_reason=Approved(sent.distinct_reason or "", sent.approval_id),
        )
        kept = _kept(unit, call, made, judged) if made.enrolled and sent.keep_photos else []
        return EnrolmentOut.of(_explained(made, judged), kept)

    return call.once(EnrolmentOut, deed)


@routes.delete("", needs=Permission.PEOPLE_ENROL)
def withdraw_face(person_id: str, call: Call = Depends(current_call)) -> Done:
    """Forget a face and its photos at once; cards, codes and PINs keep working."""

    def deed(unit: Unit) -> Done:
        service.withdraw_face(unit, recogniser_of(call), person_id)
        return Done()

    return call.once(Done, deed)


def _judge(photo: bytes) -> Judged:
    """One photo; bytes that are no picture are a refused photo, not the end."""
    try:
        pixels = decode_image(photo)
        return Judged(assess(pixels), pixels)
    except Invalid as error:
        return Judged(Assessment(FaceProblem.NO_FACE, None), None, str(error))


def _explained(made: Enrolment, judged: list[Judged]) -> Enrolment:
    frames = tuple(
        FrameVerdict(frame.number, frame.accepted, judged[frame.number].unreadable or frame.reason)
        for frame in made.frames
    )
    return Enrolment(made.person_id, made.enrolled, frames, made.reason, made.likely_same_as)


def _kept(unit: Unit, call: Call, made: Enrolment, judged: list[Judged]) -> list[str]:
    accepted = [judged[frame.number].pixels for frame in made.frames if frame.accepted]
    jpegs = [_jpeg(pixels) for pixels in accepted if pixels is not None]
    return service.keep_photos(unit, recogniser_of(call), made.person_id, jpegs)


def _jpeg(pixels: NDArray[np.uint8]) -> bytes:
    """Drawn anew from its pixels, so that nothing hidden in the file is kept."""
    drawn, content = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, 90])
    if not drawn:
        raise DoorwardError("A photo could not be encoded.")
    return content.tobytes()


def _text(form: FormData, name: str) -> str | None:
    value = form.get(name)
    return value.strip() or None if isinstance(value, str) else None


def _basis(code: str | None) -> Basis:
    try:
        return Basis(code or "")
    except ValueError:
        raise Invalid(f"State the basis as one of: {', '.join(Basis)}.") from None
