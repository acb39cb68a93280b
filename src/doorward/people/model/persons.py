"""Persons as the rest of the house sees them: ids and limits; names only where somebody asked to look."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Kind(StrEnum):
    """Why somebody is known here."""

    MEMBER = "member"
    VISITOR = "visitor"


class Basis(StrEnum):
    """The lawful basis of processing (GDPR article 6, and 9 for a face)."""

    CONSENT = "consent"
    CONTRACT = "contract"
    LEGAL_OBLIGATION = "legal-obligation"
    LEGITIMATE_INTEREST = "legitimate-interest"
    PUBLIC_TASK = "public-task"
    VITAL_INTEREST = "vital-interest"


class PinCheck(StrEnum):
    """What a PIN was worth."""

    RIGHT = "right"
    DURESS = "duress"
    WRONG = "wrong"
    LOCKED = "locked"


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """A known person without anything personal."""

    id: str
    kind: Kind
    basis: Basis
    notice_version: str
    added_at: datetime
    valid_from: datetime | None = None
    valid_until: datetime | None = None
    suspended: bool = False
    passback_exempt: bool = False
    host_id: str | None = None
    has_face: bool = False


@dataclass(frozen=True, slots=True)
class PersonView:
    """What somebody with a purpose was shown."""

    person: Person
    name: str
    id_number: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What limits a subject's passages."""

    subject_id: str
    kind: str
    valid_from: datetime | None
    valid_until: datetime | None
    suspended: bool
    group_ids: frozenset[str]
    passback_exempt: bool


@dataclass(frozen=True, slots=True)
class Group:
    """People or vehicles granted together."""

    id: str
    name: str


@dataclass(frozen=True, slots=True)
class FrameVerdict:
    """What became of one photo: its place in the list handed in, and the one reason if it was refused."""

    number: int
    accepted: bool
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Approved:
    """A stated reason with the approval that goes with it."""

    reason: str
    approval_id: str | None


@dataclass(frozen=True, slots=True)
class Enrolment:
    """What became of an enrolment. `likely_same_as` names persons whom this face resembles."""

    person_id: str
    enrolled: bool
    frames: tuple[FrameVerdict, ...]
    reason: str = ""
    likely_same_as: tuple[str, ...] = ()
