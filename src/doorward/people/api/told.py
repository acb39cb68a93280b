"""What the routes about people and vehicles answer, as JSON; names and plates only where somebody looked."""

from datetime import datetime
from typing import Any, Self

from pydantic import BaseModel, ConfigDict

from doorward.people.model import Basis, Enrolment, Group, Kind, Listing, PersonView, VehicleView
from doorward.vault.model import Receipt


class Told(BaseModel):
    """Read from our own values."""

    model_config = ConfigDict(from_attributes=True)


class Done(BaseModel):
    """The deed is done."""

    done: bool = True


class PersonOut(Told):
    """A person without anything personal."""

    id: str
    kind: Kind
    basis: Basis
    notice_version: str
    added_at: datetime
    valid_from: datetime | None
    valid_until: datetime | None
    suspended: bool
    passback_exempt: bool
    host_id: str | None
    has_face: bool


class PersonsOut(BaseModel):
    """A page of persons."""

    items: list[PersonOut]
    next_cursor: str | None


class PersonViewOut(BaseModel):
    """A person with name and ID number: a look that was recorded."""

    person: PersonOut
    name: str
    id_number: str | None
    group_ids: list[str]
    photo_ids: list[str]

    @classmethod
    def of(cls, view: PersonView, group_ids: frozenset[str], photo_ids: list[str]) -> Self:
        """From what the service showed."""
        person = PersonOut.model_validate(view.person)
        return cls(
            person=person,
            name=view.name,
            id_number=view.id_number,
            group_ids=sorted(group_ids),
            photo_ids=photo_ids,
        )


class FoundOut(BaseModel):
    """Ids of whoever was found."""

    ids: list[str]


class ExportOut(BaseModel):
    """Everything held about one person."""

    content: dict[str, Any]


class ReceiptOut(Told):
    """Proof of an erasure; the signature in hexadecimal."""

    body: dict[str, Any]
    key_id: str
    signature: str

    @classmethod
    def of(cls, receipt: Receipt) -> Self:
        """From the vault's receipt."""
        return cls(body=receipt.body, key_id=receipt.key_id, signature=receipt.signature.hex())


class ReceiptsOut(BaseModel):
    """Proofs of several erasures."""

    items: list[ReceiptOut]


class FrameOut(Told):
    """What became of one photo."""

    number: int
    accepted: bool
    reason: str


class ExportsOut(BaseModel):
    """Everything held about several persons."""

    items: list[dict[str, Any]]


class EnrolmentOut(BaseModel):
    """What became of an enrolment."""

    enrolled: bool
    reason: str
    photos: list[FrameOut]
    likely_same_as: list[str]
    photo_ids: list[str]

    @classmethod
    def of(cls, made: Enrolment, photo_ids: list[str]) -> Self:
        """From the service's answer."""
        photos = [FrameOut.model_validate(frame) for frame in made.frames]
        return cls(
            enrolled=made.enrolled,
            reason=made.reason,
            photos=photos,
            likely_same_as=list(made.likely_same_as),
            photo_ids=photo_ids,
        )


class CredentialOut(BaseModel):
    """One card or code, without its number."""

    id: str
    kind: str


class CredentialsOut(BaseModel):
    """What a person may show."""

    items: list[CredentialOut]
    pin_is_set: bool


class CodeOut(BaseModel):
    """A fresh code, told this once, and its picture."""

    token: str
    svg: str


class GroupOut(Told):
    """A group."""

    id: str
    name: str


class GroupsOut(BaseModel):
    """Every group of the site."""

    items: list[GroupOut]

    @classmethod
    def of(cls, groups: list[Group]) -> Self:
        """From the service's list."""
        return cls(items=[GroupOut.model_validate(group) for group in groups])


class InvitationOut(BaseModel):
    """An invited visitor and the code that opens for the visit."""

    visitor: PersonOut
    code: CodeOut


class VehicleOut(Told):
    """A vehicle without its plate."""

    id: str
    added_at: datetime
    owner_id: str | None
    valid_from: datetime | None
    valid_until: datetime | None
    suspended: bool
    listing: Listing


class VehiclesOut(BaseModel):
    """A page of vehicles."""

    items: list[VehicleOut]
    next_cursor: str | None


class VehicleViewOut(BaseModel):
    """A vehicle with plate and label: a look that was recorded."""

    vehicle: VehicleOut
    plate: str
    label: str | None

    @classmethod
    def of(cls, view: VehicleView) -> Self:
        """From what the service showed."""
        return cls(vehicle=VehicleOut.model_validate(view.vehicle), plate=view.plate, label=view.label)
