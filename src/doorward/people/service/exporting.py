"""Everything held about one person, in a form that machines read (GDPR Articles 15 and 20)."""

from typing import Any

from doorward.audit.service import ledger_of, record
from doorward.core.encoding import to_text
from doorward.people.model import Person
from doorward.people.rules import require_purpose
from doorward.people.service.credentials import TABLE as CREDENTIALS
from doorward.people.service.credentials import has_pin
from doorward.people.service.enrolment import override_place
from doorward.people.service.persons import get_person, groups_of, view_person
from doorward.people.service.templates import template_place
from doorward.people.service.vehicles import view_vehicle
from doorward.people.store import credentials, faces, vehicles
from doorward.platform.db import Unit
from doorward.vault.model import Place
from doorward.vault.service import SubjectKey, Vault, list_photos, open_key

FORMAT = "doorward-person/1"


def export_person(unit: Unit, vault: Vault, person_id: str, *, purpose: str) -> dict[str, Any]:
    """A person's data and ledger as plain JSON; the export is recorded. Photos are named, not contained."""
    person = get_person(unit, require_purpose(purpose) and person_id)
    view = view_person(unit, vault, person_id, purpose=purpose)
    key = open_key(unit, vault, person_id)
    record(unit, "person.exported", subject_id=person_id, purpose=purpose)
    return {
        "format": FORMAT,
        "exported_at": unit.now.isoformat(),
        "person": _facts(person) | {"name": view.name, "id_number": view.id_number},
        "groups": sorted(groups_of(unit, person_id)),
        "credentials": _credentials(unit, key, person_id),
        "pin_is_set": has_pin(unit, person_id),
        "face": _face(unit, key, person_id),
        "photos": list_photos(unit, person_id),
        "vehicles": _vehicles(unit, vault, person_id),
        "ledger": _ledger(unit, person_id),
    }


def _facts(person: Person) -> dict[str, Any]:
    times = {
        "added_at": person.added_at,
        "valid_from": person.valid_from,
        "valid_until": person.valid_until,
    }
    return {
        "id": person.id,
        "kind": person.kind.value,
        "basis": person.basis.value,
        "notice_version": person.notice_version,
        "suspended": person.suspended,
        "passback_exempt": person.passback_exempt,
        "host_id": person.host_id,
    } | {name: at.isoformat() if at else None for name, at in times.items()}


def _credentials(unit: Unit, key: SubjectKey, person_id: str) -> list[dict[str, str]]:
    found = credentials.list_credentials(unit.rows, unit.site_id, person_id)
    return [
        # A live code in a file would open doors: the holder has it on their own phone.
        {"id": one.id, "kind": one.kind}
        | (
            {"number": key.unseal(Place(CREDENTIALS, "sealed", one.id), one.sealed).decode()}
            if one.kind == "card"
            else {}
        )
        for one in found
    ]


def _face(unit: Unit, key: SubjectKey, person_id: str) -> dict[str, Any] | None:
    kept = faces.find_face(unit.rows, unit.site_id, person_id)
    if kept is None:
        return None
    ((_, sealed),) = faces.list_templates(unit.rows, unit.site_id, [person_id])
    reason = key.unseal(override_place(person_id), kept.override).decode() if kept.override else None
    return {
        "basis": kept.basis,
        "notice_version": kept.notice_version,
        "photos_used": kept.frames,
        "stated_reason": reason,
        "enrolled_at": kept.enrolled_at.isoformat(),
        # Where a decider elsewhere keeps it, nobody here can read it.
        "template": to_text(key.unseal(template_place(person_id), sealed)) if sealed else None,
    }


def _vehicles(unit: Unit, vault: Vault, person_id: str) -> list[dict[str, str | None]]:
    owned = vehicles.list_owned(unit.rows, unit.site_id, person_id)
    views = [view_vehicle(unit, vault, one, purpose="export-of-owner") for one in owned]
    return [{"id": view.vehicle.id, "plate": view.plate, "label": view.label} for view in views]


def _ledger(unit: Unit, person_id: str) -> list[dict[str, Any]]:
    entries = [each.entry for each in ledger_of(unit, person_id).entries]
    return [
        {
            "position": one.position,
            "event": one.event,
            "actor": one.actor,
            "at": one.at.isoformat(),
            "facts": one.facts,
        }
        for one in entries
    ]
