"""What the routes about people and vehicles take, as JSON."""

from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from doorward.people.model import Basis, Listing
from doorward.people.service import NewPerson, NewVisit
from doorward.platform.asked import Instant

Id = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[a-z0-9_]+$")]
Text = Annotated[str, Field(min_length=1, max_length=200)]
Code = Annotated[str, Field(min_length=1, max_length=40)]


class Shape(BaseModel):
    """A body; an unknown field is an error, since it may be a misspelt limit."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)


class PersonIn(Shape):
    """A member to register."""

    name: Text
    basis: Basis
    notice_version: Code
    id_number: Text | None = None
    valid_from: Instant | None = None
    valid_until: Instant | None = None
    passback_exempt: bool = False

    def ours(self) -> NewPerson:
        """The same for the service."""
        return NewPerson(**dict(self))


class SearchIn(Shape):
    """Exactly one of a name or an ID number."""

    name: Text | None = None
    id_number: Text | None = None

    @model_validator(mode="after")
    def _one_of_them(self) -> Self:
        if (self.name is None) == (self.id_number is None):
            raise ValueError("Search by name or by id_number, one at a time.")
        return self


class CorrectionIn(Shape):
    """What was wrong; what is left out stays."""

    name: Text | None = None
    id_number: Text | None = None


class LimitsIn(Shape):
    """From when until when somebody may pass, and whether anti-passback counts them."""

    valid_from: Instant | None = None
    valid_until: Instant | None = None
    passback_exempt: bool = False


class LookOnIn(Shape):
    """An approved proposal of `people.look-on` for the caller's account."""

    approval_id: str = Field(max_length=64)


class SuspensionIn(Shape):
    """Whether passages stop."""

    suspended: bool


class PurposeIn(Shape):
    """Why somebody looks, as a short code."""

    purpose: Code


class ExportIn(PurposeIn):
    """The same; after many in a short time also an approval of `people.export-many`."""

    approval_id: Id | None = None


class ManyIn(Shape):
    """Persons, and the approval with exactly them as the fact `persons` when they are many."""

    person_ids: Annotated[list[Id], Field(min_length=1, max_length=500)]
    approval_id: Id | None = None


class ExportManyIn(ManyIn):
    """Why, as a short code."""

    purpose: Code


class CardIn(Shape):
    """A card's number."""

    number: Text


class PinIn(Shape):
    """A PIN, and one to use under duress."""

    pin: Code
    duress: Code | None = None


class GroupIn(Shape):
    """A group's name: of an office, not of a person."""

    name: Text


class VisitIn(Shape):
    """Who comes, to whom, from when until when."""

    name: Text
    host_id: Id
    valid_from: Instant
    valid_until: Instant
    basis: Basis = Basis.LEGITIMATE_INTEREST
    notice_version: Code
    id_number: Text | None = None

    def ours(self) -> NewVisit:
        """The same for the service."""
        return NewVisit(**dict(self))


class VehicleIn(Shape):
    """A vehicle to register."""

    plate: Code
    owner_id: Id | None = None
    valid_from: Instant | None = None
    valid_until: Instant | None = None
    label: Text | None = None
    listing: Listing = Listing.ALLOW


class PlateIn(Shape):
    """A plate to look up."""

    plate: Code


class ListingIn(Shape):
    """Which list a vehicle stands on."""

    listing: Listing
