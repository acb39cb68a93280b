"""Register, look at, limit and forget persons; every look is written down."""

from dataclasses import dataclass
from datetime import datetime

from doorward.audit.service import record
from doorward.core.errors import Conflict, Invalid, NotFound
from doorward.core.ids import new_id
from doorward.people.model import Basis, Group, Kind, Listing, Person, PersonView, Standing
from doorward.people.rules import one_form_of_name, one_form_of_number, require_notice, require_purpose
from doorward.people.service.looking_up import lookup_of, lookups_of
from doorward.people.service.recogniser import announce, nobody_here
from doorward.people.store import credentials, faces, persons, vehicles
from doorward.platform.db import Unit
from doorward.platform.paging import PageRequest
from doorward.vault.model import Place, Purpose
from doorward.vault.service import Vault, make_subject_key, open_key

TABLE = "people_persons"


@dataclass(frozen=True, slots=True, kw_only=True)
class NewPerson:
    """What is said of somebody at registration."""

    name: str
    basis: Basis
    notice_version: str = "1"
    kind: Kind = Kind.MEMBER
    id_number: str | None = None
    valid_from: datetime | None = None
    valid_until: datetime | None = None
    passback_exempt: bool = False
    host_id: str | None = None


def add_person(unit: Unit, vault: Vault, new: NewPerson) -> Person:
    """Register somebody; the name and ID number are sealed under a key of their own."""
    _require_sense(unit, new)
    person = Person(
        id=new_id("person"),
        kind=new.kind,
        basis=new.basis,
        notice_version=new.notice_version,
        added_at=unit.now,
        valid_from=new.valid_from,
        valid_until=new.valid_until,
        passback_exempt=new.passback_exempt,
        host_id=new.host_id,
    )
    key = make_subject_key(unit, vault, person.id)
    number = new.id_number
    sealed = {
        "name": key.seal(Place(TABLE, "name", person.id), new.name.encode()),
        "name_blind": lookup_of(vault, Purpose.BLIND_NAME, one_form_of_name(new.name)),
        "id_number": number and key.seal(Place(TABLE, "id_number", person.id), number.encode()),
        "id_number_blind": number and lookup_of(vault, Purpose.BLIND_ID_NUMBER, one_form_of_number(number)),
    }
    if number and _with_number(unit, vault, number):
        raise Conflict("Somebody with this ID number is registered already: look them up instead.")
    persons.add_person(unit.rows, unit.site_id, person, {k: v or None for k, v in sealed.items()})
    record(unit, "person.added", subject_id=person.id, kind=new.kind, basis=new.basis)
    return person


def view_person(unit: Unit, vault: Vault, person_id: str, *, purpose: str) -> PersonView:
    """Name and ID number, for a stated purpose; the look is in that person's own ledger."""
    require_purpose(purpose)
    person = get_person(unit, person_id)
    sealed = persons.find_sealed(unit.rows, unit.site_id, person_id)
    assert sealed is not None
    key = open_key(unit, vault, person_id)
    name = key.unseal(Place(TABLE, "name", person_id), sealed[0]).decode()
    number = sealed[1] and key.unseal(Place(TABLE, "id_number", person_id), sealed[1]).decode()
    record(unit, "person.viewed", subject_id=person_id, purpose=purpose)
    return PersonView(person, name, number or None)


def get_person(unit: Unit, person_id: str) -> Person:
    """The person without anything personal; `NotFound` if not of this site."""
    person = persons.find_person(unit.rows, unit.site_id, person_id)
    if person is None:
        raise nobody_here()
    return person


def find_by_name(unit: Unit, vault: Vault, name: str) -> list[str]:
    """Ids of everybody of exactly this name, in any spelling of case and blanks."""
    blinds = lookups_of(vault, Purpose.BLIND_NAME, one_form_of_name(name))
    return _found(unit, "name", persons.list_by_blind(unit.rows, unit.site_id, "name_blind", blinds))


def find_by_id_number(unit: Unit, vault: Vault, number: str) -> list[str]:
    """Ids of whoever has this ID number."""
    return _found(unit, "id-number", _with_number(unit, vault, number))


def list_persons(unit: Unit, wanted: PageRequest) -> list[Person]:
    """One more than asked for, so that the caller sees whether there is a next page."""
    return persons.list_persons(unit.rows, unit.site_id, wanted.after, wanted.limit + 1)


def correct_person(
    unit: Unit, vault: Vault, person_id: str, *, name: str | None = None, id_number: str | None = None
) -> None:
    """Set right a name or ID number that was wrong (GDPR Article 16); what is not given stays."""
    get_person(unit, person_id)
    key, changes = open_key(unit, vault, person_id), dict[str, bytes]()
    if name is not None:
        changes["name_blind"] = lookup_of(vault, Purpose.BLIND_NAME, one_form_of_name(name))
        changes["name"] = key.seal(Place(TABLE, "name", person_id), name.encode())
    if id_number is not None:
        if set(_with_number(unit, vault, id_number)) - {person_id}:
            raise Conflict("Somebody with this ID number is registered already: look them up instead.")
        changes["id_number_blind"] = lookup_of(vault, Purpose.BLIND_ID_NUMBER, one_form_of_number(id_number))
        changes["id_number"] = key.seal(Place(TABLE, "id_number", person_id), id_number.encode())
    if not changes:
        raise Invalid("Say what to correct: the name or the ID number.")
    persons.change_person(unit.rows, person_id, **changes)
    record(
        unit, "person.corrected", subject_id=person_id, fields=sorted(c for c in changes if "blind" not in c)
    )


def limit_person(
    unit: Unit,
    person_id: str,
    *,
    valid_from: datetime | None,
    valid_until: datetime | None,
    passback_exempt: bool,
) -> Person:
    """Set from when until when somebody may pass, and whether anti-passback counts them."""
    person = get_person(unit, person_id)
    _require_order(valid_from, valid_until)
    if person.kind is Kind.VISITOR and valid_until is None:
        raise Invalid("A visit needs an end: say until when it is valid.")
    changes = {"valid_from": valid_from, "valid_until": valid_until, "passback_exempt": passback_exempt}
    persons.change_person(unit.rows, person_id, **changes)
    record(unit, "person.limited", subject_id=person_id, exempt=passback_exempt)
    return get_person(unit, person_id)


def suspend(unit: Unit, subject_id: str, *, suspended: bool) -> None:
    """Stop a person's or vehicle's passages until further notice, or let them pass again."""
    if persons.find_person(unit.rows, unit.site_id, subject_id) is not None:
        persons.change_person(unit.rows, subject_id, suspended=suspended)
    elif vehicles.find_vehicle(unit.rows, unit.site_id, subject_id) is not None:
        vehicles.change_vehicle(unit.rows, subject_id, suspended=suspended)
    else:
        raise nobody_here()
    record(unit, "subject.suspended" if suspended else "subject.resumed", subject_id=subject_id)


def standing_of(unit: Unit, subject_id: str) -> Standing | None:
    """What limits a person's or vehicle's passages; None if unknown here."""
    person = persons.find_standing(unit.rows, unit.site_id, subject_id)
    if person is not None:
        return person
    vehicle = vehicles.find_vehicle(unit.rows, unit.site_id, subject_id)
    if vehicle is None:
        return None
    return Standing(
        subject_id=subject_id,
        kind="vehicle",
        valid_from=vehicle.valid_from,
        valid_until=vehicle.valid_until,
        suspended=vehicle.suspended or vehicle.listing is Listing.DENY,
        group_ids=persons.groups_of(unit.rows, subject_id),
        passback_exempt=False,
    )


def groups_of(unit: Unit, subject_id: str) -> frozenset[str]:
    """Ids of the groups that a person or vehicle counts among."""
    return persons.groups_of(unit.rows, subject_id)


def add_group(unit: Unit, name: str) -> Group:
    """A group to grant together; its name is of an office, not of a person."""
    if not 1 <= len(name.strip()) <= 100:
        raise Invalid("A group's name has 1 to 100 characters.")
    group = Group(new_id("group"), name.strip())
    persons.add_group(unit.rows, unit.site_id, group)
    record(unit, "group.added", group=group.id)
    return group


def list_groups(unit: Unit) -> list[Group]:
    """Every group of the site."""
    return persons.list_groups(unit.rows, unit.site_id)


def forget_group(unit: Unit, group_id: str) -> None:
    """Dissolve a group: what was granted to it opens for nobody any more."""
    if not persons.forget_group(unit.rows, unit.site_id, group_id):
        raise NotFound("There is no such group at this site.")
    record(unit, "group.removed", group=group_id)


def join_group(unit: Unit, subject_id: str, group_id: str) -> None:
    """Count a person or vehicle among a group."""
    if standing_of(unit, subject_id) is None:
        raise nobody_here()
    if group_id not in {group.id for group in list_groups(unit)}:
        raise NotFound("There is no such group at this site.")
    persons.join_group(unit.rows, subject_id, group_id)
    record(unit, "group.joined", subject_id=subject_id, group=group_id)


def leave_group(unit: Unit, subject_id: str, group_id: str) -> None:
    """Count them among it no more."""
    if standing_of(unit, subject_id) is None:
        raise nobody_here()
    persons.leave_group(unit.rows, subject_id, group_id)
    record(unit, "group.left", subject_id=subject_id, group=group_id)


def forget_rows(unit: Unit, person_id: str) -> None:
    """Remove every record of a person from this room; the key and the photos go with the vault's erasure."""
    get_person(unit, person_id)
    credentials.forget_all_of(unit.rows, person_id)
    faces.forget_template(unit.rows, person_id)
    vehicles.disown(unit.rows, person_id)
    persons.forget_person(unit.rows, person_id)
    announce(unit, person_id)


def _with_number(unit: Unit, vault: Vault, number: str) -> list[str]:
    blinds = lookups_of(vault, Purpose.BLIND_ID_NUMBER, one_form_of_number(number))
    return persons.list_by_blind(unit.rows, unit.site_id, "id_number_blind", blinds)


def _found(unit: Unit, by: str, found: list[str]) -> list[str]:
    """A search enters the ledger of each person found, and the log even if nobody was."""
    record(unit, "people.searched", by=by, found=len(found))
    for person_id in found:
        record(unit, "person.found", subject_id=person_id, by=by)
    return found


def _require_sense(unit: Unit, new: NewPerson) -> None:
    one_form_of_name(new.name)
    require_notice(new.notice_version)
    _require_order(new.valid_from, new.valid_until)
    if new.kind is Kind.VISITOR and new.valid_until is None:
        raise Invalid("A visit needs an end: say until when it is valid.")
    if new.host_id is not None:
        get_person(unit, new.host_id)


def _require_order(valid_from: datetime | None, valid_until: datetime | None) -> None:
    if valid_from and valid_until and valid_from >= valid_until:
        raise Invalid("The validity ends before it begins: swap the two times.")
