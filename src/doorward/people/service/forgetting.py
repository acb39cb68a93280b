"""Forgetting people and vehicles: records here, key and photos in the vault, a receipt to keep."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta

from doorward.core.errors import NotFound
from doorward.people.ports import Matcher
from doorward.people.service import persons, vehicles
from doorward.people.service.recogniser import Recogniser
from doorward.people.store.faces import forget_changes
from doorward.people.store.persons import list_ended_visitors, list_site_ids
from doorward.platform.db import Unit
from doorward.platform.jobs import enqueue
from doorward.vault.model import Receipt
from doorward.vault.service import Vault, erase_subject

SUBJECT_FORGOTTEN = "subject.forgotten"  # a job: whatever else is kept about a subject goes
VISITS_KEPT_FOR = timedelta(days=1)
CHANGES_KEPT = 2000  # for each site


def forget_person(unit: Unit, recogniser: Recogniser, person_id: str) -> Receipt:
    """Erase a person everywhere: no matcher, door or look-up knows them after this commits."""
    persons.forget_rows(unit, person_id)
    recogniser.matcher.forget(unit, [person_id])
    _tell(unit, person_id)
    return erase_subject(unit, recogniser.vault, person_id)


def forget_vehicle(unit: Unit, vault: Vault, vehicle_id: str) -> Receipt:
    """Erase a vehicle everywhere."""
    vehicles.forget_rows(unit, vehicle_id)
    _tell(unit, vehicle_id)
    return erase_subject(unit, vault, vehicle_id)


def _tell(unit: Unit, subject_id: str) -> None:
    """Promise that the rooms above forget them too; who that is, wiring knows."""
    enqueue(unit, SUBJECT_FORGOTTEN, subject_id=subject_id)


def forget_erased(unit: Unit, matcher: Matcher, sites: Mapping[str, str]) -> None:
    """Remove what a restored copy still holds of subjects that were erased since; `sites` by their ids."""
    for subject_id, site_id in sites.items():
        there = replace(unit, site_id=site_id)
        with suppress(NotFound):  # a copy may hold the key of whoever was half registered
            room = vehicles if subject_id.startswith("vehicle_") else persons
            room.forget_rows(there, subject_id)
        matcher.forget(there, [subject_id])
        _tell(there, subject_id)


def forget_gallery_changes(unit: Unit) -> int:
    """Prune the log of changes; a process that was away for longer loads its gallery whole."""
    return forget_changes(unit.rows, CHANGES_KEPT)


def list_peopled_sites(unit: Unit) -> list[str]:
    """Every site of this house that knows anybody."""
    return list_site_ids(unit.rows)


def end_visits(unit: Unit, recogniser: Recogniser) -> int:
    """Erase visitors whose visit ended a day ago or longer; how many."""
    ended = list_ended_visitors(unit.rows, unit.site_id, unit.now - VISITS_KEPT_FOR)
    for person_id in ended:
        forget_person(unit, recogniser, person_id)
    return len(ended)
