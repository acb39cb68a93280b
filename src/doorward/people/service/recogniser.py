"""Knows people and vehicles again: galleries in memory, kept true by the log of changes."""

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from doorward.audit.service import record
from doorward.core.errors import NotFound, Tampered
from doorward.people.ports import Matcher
from doorward.people.service.known_plates import KnownPlates
from doorward.people.store import faces, vehicles
from doorward.people.store.faces import Mark
from doorward.platform.db import Unit
from doorward.vault.model import Place
from doorward.vault.service import SubjectKey, Vault, open_keys
from doorward.vision.model import TEMPLATE_LENGTH, FaceTemplate

BULK = 500
MOST_TOLD = 50  # more at once is no bad record but a wrong key or disk


@dataclass(frozen=True, slots=True)
class Gallery:
    """What one site knows by heart. Templates and plates are unsealed here and nowhere else.

    `unreadable` are those of whom something failed its proof: they are left out, everybody else is known.
    """

    matcher: Matcher
    plates: KnownPlates = field(default_factory=KnownPlates, repr=False)
    unreadable: set[str] = field(default_factory=set)


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
        templates = dict(faces.list_templates(unit.rows, unit.site_id))
        plates = dict(vehicles.list_plates(unit.rows, unit.site_id))
        gallery = Gallery(self._new_matcher())
        self._learn(unit, gallery, [*templates, *plates], templates, plates)
        record(unit, "gallery.loaded", faces=gallery.matcher.count(), plates=len(gallery.plates))
        return gallery

    def _reload(self, unit: Unit, gallery: Gallery, subject_ids: Sequence[str]) -> None:
        templates = dict(faces.list_templates(unit.rows, unit.site_id, subject_ids))
        plates = dict(vehicles.list_plates(unit.rows, unit.site_id, subject_ids))
        gallery.unreadable.difference_update(subject_ids)
        self._learn(unit, gallery, subject_ids, templates, plates)

    def _learn(
        self,
        unit: Unit,
        gallery: Gallery,
        subject_ids: Sequence[str],
        templates: Mapping[str, bytes],
        plates: Mapping[str, bytes],
    ) -> None:
        """Know each of these by what is kept of them; one bad record must not shut the gates to everybody."""
        unreadable: set[str] = set()
        keys = open_keys(unit, self.vault, subject_ids, unreadable=unreadable)
        for subject_id in subject_ids:
            key, kept = keys.get(subject_id), (templates.get(subject_id), plates.get(subject_id))
            try:
                _know(gallery, subject_id, key, *kept)
            except Tampered:
                _know(gallery, subject_id, None, None, None)
                unreadable.add(subject_id)
        note_unreadable(unit, gallery, unreadable)


def note_unreadable(unit: Unit, gallery: Gallery, subject_ids: Iterable[str]) -> None:
    """Keep in the log that these are left out, once while it lasts; `gates` raises the alarm."""
    fresh = set(subject_ids) - gallery.unreadable
    gallery.unreadable.update(fresh)
    for subject_id in sorted(fresh)[:MOST_TOLD]:
        record(unit, "subject.unreadable", subject_id=subject_id, of=len(fresh))


def load_gallery(unit: Unit, recogniser: Recogniser) -> int:
    """Unseal the site's faces and plates ahead of the first question; how many faces there are."""
    return recogniser.gallery(unit).matcher.count()


def _know(
    gallery: Gallery, subject_id: str, key: SubjectKey | None, template: bytes | None, plate: bytes | None
) -> None:
    """Know a subject by these and by nothing else; `Tampered` if one is not what was sealed."""
    if key is None and (template or plate):
        raise Tampered("A record has lost its key.")
    if key is not None and template is not None:
        raw = key.unseal(template_place(subject_id), template)
        gallery.matcher.enrol(subject_id, template_from(raw))
    else:
        gallery.matcher.forget(subject_id)
    if key is not None and plate is not None:
        gallery.plates.put(subject_id, key.unseal(plate_place(subject_id), plate).decode())
    else:
        gallery.plates.drop(subject_id)


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
