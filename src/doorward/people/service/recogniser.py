"""Knows people and vehicles again: galleries in memory, kept true by the log of changes."""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from doorward.audit.service import record
from doorward.core.errors import NotFound
from doorward.people.ports import Matcher
from doorward.people.store import faces, vehicles
from doorward.platform.db import Unit
from doorward.vault.model import Place
from doorward.vault.service import Vault, open_keys
from doorward.vision.model import FaceTemplate

BULK = 500


@dataclass(slots=True)
class Gallery:
    """What one site knows by heart. Templates and plates are unsealed here and nowhere else."""

    matcher: Matcher
    plates: dict[str, str] = field(default_factory=dict, repr=False)
    seen: int = 0
    lock: threading.RLock = field(default_factory=threading.RLock, repr=False)


class Recogniser:
    """The galleries of every site, made on demand and brought up to date before each question."""

    def __init__(self, vault: Vault, new_matcher: Callable[[], Matcher]) -> None:
        self.vault = vault
        self._new_matcher = new_matcher
        self._galleries: dict[str, Gallery] = {}
        self._making = threading.Lock()

    def gallery(self, unit: Unit) -> Gallery:
        """This site's gallery, as true as the unit's own view of the database."""
        with self._making:
            gallery = self._galleries.setdefault(unit.site_id, Gallery(self._new_matcher()))
        newest = faces.newest_change(unit.rows, unit.site_id)
        if newest != gallery.seen:
            with gallery.lock:
                self._catch_up(unit, gallery, newest)
        return gallery

    def _catch_up(self, unit: Unit, gallery: Gallery, newest: int) -> None:
        # A unit that rolls back leaves `seen` ahead of the log: start again from nothing.
        if newest < gallery.seen:
            gallery.matcher, gallery.plates, gallery.seen = self._new_matcher(), {}, 0
        changed = faces.list_changed(unit.rows, unit.site_id, gallery.seen)
        for start in range(0, len(changed), BULK):
            self._reload(unit, gallery, changed[start : start + BULK])
        if gallery.seen == 0:
            record(unit, "gallery.loaded", faces=gallery.matcher.count(), plates=len(gallery.plates))
        gallery.seen = newest

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
                gallery.plates[subject_id] = key.unseal(plate_place(subject_id), plates[subject_id]).decode()
            else:
                gallery.plates.pop(subject_id, None)


def template_place(person_id: str) -> Place:
    """Where a template lies."""
    return Place("people_templates", "template", person_id)


def plate_place(vehicle_id: str) -> Place:
    """Where a plate lies."""
    return Place("people_vehicles", "plate", vehicle_id)


def template_bytes(template: FaceTemplate) -> bytes:
    """128 float32, little endian."""
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
