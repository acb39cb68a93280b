"""The words of people and vehicles: who is known, on what basis, and by what they are known again."""

from doorward.people.model.persons import (
    Approved,
    Basis,
    Enrolment,
    FrameVerdict,
    Group,
    Kind,
    Person,
    PersonView,
    PinCheck,
    Standing,
)
from doorward.people.model.vehicles import Listing, Vehicle, VehicleMatch, VehicleView

__all__ = [
    "Approved",
    "Basis",
    "Enrolment",
    "FrameVerdict",
    "Group",
    "Kind",
    "Listing",
    "Person",
    "PersonView",
    "PinCheck",
    "Standing",
    "Vehicle",
    "VehicleMatch",
    "VehicleView",
]
