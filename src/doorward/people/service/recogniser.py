"""Knows people and vehicles again: galleries in memory, kept true by the log of changes."""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from doorward.audit.service import record
from doorward.core.errors import NotFound
from doorward.people.ports import Matcher
from doorward.people.service.known_plates import KnownPlates
from doorward.people.store import faces, vehicles
from doorward.people.store.faces import Mark
from doorward.platform.db import Unit
from doorward.vault.model import Place
from doorward.vault.service import Vault, open_keys
from doorward.vision.model import TEMPLATE_LENGTH, FaceTemplate

BULK = 500


@dataclass(frozen=True, slots=True)
class Gallery:
    """What one site knows by heart. Templates and plates are unsealed here and nowhere else."""

    matcher: Matcher
    plates: KnownPlates = field(default_factory=KnownPlates, repr=False)


class Recogniser:
    """The galleries of every site, made on demand and brought up to date before each question."""

    def __init__(self, vault: Vault, new_matcher: Callable[[], Matcher]) -> None:
        self.vault = vault
        self._new_matcher = new_matcher
        self._galleries: dict[str, tuple[Mark, Gallery]] = {}
        self._turn = threading.RLock()

    def gallery(self, unit: Unit) -> Gallery:
        """This site's gallery, as true as the unit's own view of the database."""
        with self._turn:
            newest = faces.newest_mark(unit.rows, unit.site_id)
            held = self._galleries.get(unit.site_id)
            if held is not None and held[0] == newest:
                return held[1]
            gallery = self._caught_up(unit, held)
            self._galleries[unit.site_id] = (newest, gallery)
            return gallery

    def _caught_up(self, unit: Unit, held: tuple[Mark, Gallery] | None) -> Gallery:
        # What a rolled-back unit showed us was never true: then nothing that we hold is taken for granted.
        if held is None or not faces.has_mark(unit.rows, held[0]):
            return self._loaded(unit)
        seen, gallery = held
        changed = faces.list_changed(unit.rows, unit.site_id, seen)
        for start in range(0, len(changed), BULK):
            self._reload(unit, gallery, changed[start : start + BULK])
        return gallery

    def _loaded(self, unit: Unit) -> Gallery:
        """A whole new gallery: whoever still asks the former one is not met by a half-filled one."""
        templates = faces.list_templates(unit.rows, unit.site_id)
        plates = vehicles.list_plates(unit.rows, unit.site_id)
        keys = open_keys(unit, self.vault, [subject_id for subject_id, _ in (*templates, *plates)])
        gallery = Gallery(self._new_matcher())
        for person_id, sealed in templates:
            raw = keys[person_id].unseal(template_place(person_id), sealed)
            gallery.matcher.enrol(person_id, template_from(raw))
        for vehicle_id, sealed in plates:
            gallery.plates.put(vehicle_id, keys[vehicle_id].unseal(plate_place(vehicle_id), sealed).decode())
        record(unit, "gallery.loaded", faces=gallery.matcher.count(), plates=len(gallery.plates))
        return gallery

    def _reload(self, unit: Unit, gallery: Gallery, subject_ids: Sequence[str]) -> None:
        keys = open_keys(unit, self.vault, subject_ids)
        templates = dict(faces.list_templates(unit.rows, unit.site_id, subject_ids))
        plates = dict(vehicles.list_plates(unit.rows, unit.site_id, subject_ids))
        for subject_id in subject_ids:
            key = keys.get(subject_id)
            if key is not None and subject_id in templates:
                raw = key.unseal(template_place(subject_id), templates[subject_id])
                gallery.matcher.enrol(subject_id, template_from(raw))
            else:
                gallery.matcher.forget(subject_id)
            if key is not None and subject_id in plates:
                gallery.plates.put(
                    subject_id, key.unseal(plate_place(subject_id), plates[subject_id]).decode()
                )
            else:
                gallery.plates.drop(subject_id)


def load_gallery(unit: Unit, recogniser: Recogniser) -> int:
    """Unseal the site's faces and plates ahead of the first question; how many faces there are."""
    return recogniser.gallery(unit).matcher.count()


def template_place(person_id: str) -> Place:
    """Where a template lies."""
    return Place("people_templates", "template", person_id)


def plate_place(vehicle_id: str) -> Place:
    """Where a plate lies."""
    return Place("people_vehicles", "plate", vehicle_id)


def template_bytes(template: FaceTemplate) -> bytes:
    """128 float32, little endian."""
    assert template.shape == (TEMPLATE_LENGTH,)
    return template.astype("<f4").tobytes()


def template_from(raw: bytes) -> FaceTemplate:
    """The template behind `template_bytes`."""
    return np.frombuffer(raw, "<f4").astype(np.float32)


def announce(unit: Unit, subject_id: str) -> None:
    """Tell every process that this subject's face or plate changed."""
    faces.add_change(unit.rows, unit.site_id, subject_id)


def nobody_here() -> NotFound:
    """The answer about persons and vehicles that do not exist, here or at all."""
    return NotFound("There is no such person or vehicle at this site.")
