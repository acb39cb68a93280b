"""Visitors: invited by a host with a code to show, and forgotten when the visit is over."""

import io
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import segno

from doorward.audit.service import record
from doorward.core.errors import Conflict, Invalid
from doorward.people.model import Basis, Kind, Person
from doorward.people.service.credentials import issue_qr
from doorward.people.service.persons import NewPerson, add_person, get_person
from doorward.people.store import persons
from doorward.platform.db import Unit
from doorward.vault.service import Vault

LONGEST_VISIT = timedelta(days=31)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewVisit:
    """Who comes, to whom, and from when until when."""

    name: str
    host_id: str
    valid_from: datetime
    valid_until: datetime
    basis: Basis = Basis.LEGITIMATE_INTEREST
    notice_version: str = "1"
    id_number: str | None = None


@dataclass(frozen=True, slots=True)
class Invitation:
    """An invited visitor, and the code that opens for the visit; the code is told this once."""

    visitor: Person
    token: str = field(repr=False)


def invite_visitor(unit: Unit, vault: Vault, visit: NewVisit) -> Invitation:
    """Expect a visitor; the code works during the visit only."""
    if get_person(unit, visit.host_id).kind is not Kind.MEMBER:
        raise Invalid("A visitor needs a member of the site as host.")
    if visit.valid_until <= unit.now:
        raise Invalid("This visit is over already: give a later end.")
    if visit.valid_until - visit.valid_from > LONGEST_VISIT:
        raise Invalid(f"A visit lasts {LONGEST_VISIT.days} days at most: register a member instead.")
    new = NewPerson(
        name=visit.name,
        basis=visit.basis,
        notice_version=visit.notice_version,
        kind=Kind.VISITOR,
        id_number=visit.id_number,
        valid_from=visit.valid_from,
        valid_until=visit.valid_until,
        host_id=visit.host_id,
    )
    visitor = add_person(unit, vault, new)
    token = issue_qr(unit, vault, visitor.id)
    record(unit, "visitor.invited", subject_id=visitor.id, host=visit.host_id)
    return Invitation(visitor, token)


def end_visit(unit: Unit, person_id: str) -> None:
    """End a visit now: nothing opens for this visitor any more, and the daily job erases them."""
    person = get_person(unit, person_id)
    if person.kind is not Kind.VISITOR:
        raise Invalid("This is no visitor: limit or suspend a member instead.")
    if person.valid_until is not None and person.valid_until <= unit.now:
        raise Conflict("This visit is over already.")
    starts = person.valid_from if person.valid_from and person.valid_from < unit.now else None
    persons.change_person(unit.rows, person_id, valid_from=starts, valid_until=unit.now)
    record(unit, "visit.ended", subject_id=person_id)


def qr_picture(token: str) -> bytes:
    """A code as SVG, to show on a phone or print."""
    drawn = io.BytesIO()
    segno.make(token, error="m", micro=False).save(drawn, kind="svg", scale=8, xmldecl=False)
    return drawn.getvalue()
