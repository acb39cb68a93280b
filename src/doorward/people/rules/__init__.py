"""Pure decisions about people: photos of one person, PINs too easy, one form of a name."""

from doorward.people.rules.basis import (
    PHOTO_BASES,
    require_face_basis,
    require_notice,
    require_photo_basis,
    require_purpose,
    require_reason,
)
from doorward.people.rules.credentials import LOCKED_FOR, MOST_WRONG_PINS, locked_for, require_strong_pin
from doorward.people.rules.enrolment import LEAST_FRAMES, odd_ones_out, repeated
from doorward.people.rules.names import one_form_of_name, one_form_of_number

__all__ = [
    "LEAST_FRAMES",
    "LOCKED_FOR",
    "MOST_WRONG_PINS",
    "PHOTO_BASES",
    "locked_for",
    "odd_ones_out",
    "one_form_of_name",
    "one_form_of_number",
    "repeated",
    "require_face_basis",
    "require_notice",
    "require_photo_basis",
    "require_purpose",
    "require_reason",
    "require_strong_pin",
]
