"""Knows people and vehicles again: faces by the matcher, plates by heart, kept true by the log of changes."""

import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from doorward.audit.service import record
from doorward.core.batches import in_batches
from doorward.core.errors import NotFound, Tampered
from doorward.people.ports import Matcher
from doorward.people.service.known_plates import KnownPlates
from doorward.people.service.templates import plate_place, templates_of
from doorward.people.store import faces, vehicles
from doorward.people.store.faces import Mark
from doorward.platform.db import Unit
from doorward.vault.service import SubjectKey, Vault, open_keys

BULK = 500
AT_ONCE = 20_000  # templates unsealed and enrolled together
MOST_TOLD = 50  # more at once is no bad record but a wrong key or disk


@dataclass(frozen=True, slots=True)
class Gallery:
    """The plates that one site knows by heart; they are unsealed here and nowhere else.

    `unreadable` are those of whom something failed its proof: they are left out, everybody else is known.
    """

    plates: KnownPlates = field(default_factory=KnownPlates, repr=False)
    unreadable: set[str] = field(default_factory=set)


class Recogniser:
    """The galleries of every site, made on demand and brought up to date before each question."""

    def __init__(self, vault: Vault, matcher: Matcher) -> None:
        self.vault = vault
        self.matcher = matcher
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

    def make_ready(self, unit: Unit) -> None:
        """Before the first search at a site: whoever has a template must be in it."""
        if unit.site_id not in self._galleries:
            self.gallery(unit)

    def has_news(self, unit: Unit) -> bool:
        """After a search that found nobody: whether the site had changed, as after a restore."""
        held = self._galleries.get(unit.site_id)
        self.gallery(unit)
        return held is not self._galleries.get(unit.site_id)

    def unreadable(self, unit: Unit) -> set[str]:
        """Whom nothing here knows although they are on record, because what is kept fails its proof."""
        left_out = set(self.gallery(unit).unreadable)
        enrolled = faces.list_enrolled(unit.rows, unit.site_id)
        if len(enrolled) != self.matcher.count(unit):
            left_out.update(self.matcher.missing(unit, enrolled))
        return left_out

    def _caught_up(self, unit: Unit, held: tuple[Mark, Gallery] | None) -> Gallery:
        # What a rolled-back unit showed us was never true: then nothing that we hold is taken for granted.
        if held is None or not faces.has_mark(unit.rows, held[0]):
            return self._loaded(unit)
        seen, gallery = held
        changed = faces.list_changed(unit.rows, unit.site_id, seen)
        for some in in_batches(changed, BULK):
            self._reload(unit, gallery, some)
        return gallery

    def _loaded(self, unit: Unit) -> Gallery:
        """A whole new gallery: whoever still asks the former one is not met by a half-filled one."""
        plates = dict(vehicles.list_plates(unit.rows, unit.site_id))
        gallery = Gallery()
        self._learn(unit, gallery, list(plates), plates)
        known = 0
        if not self.matcher.is_elsewhere():  # one elsewhere has its own templates, and may be away just now
            note_unreadable(unit, gallery, self._complete(unit))
            known = self.matcher.count(unit)
        record(unit, "gallery.loaded", faces=known, plates=len(gallery.plates))
        return gallery

    def _complete(self, unit: Unit) -> list[str]:
        """Enrol whoever has a template and is not in the search, as after a restore; whose does not open."""
        enrolled = faces.list_enrolled(unit.rows, unit.site_id)
        unreadable: list[str] = []
        missing = self.matcher.missing(unit, enrolled)
        for some in in_batches(missing, AT_ONCE):
            found = templates_of(self.vault, unit, some)
            self.matcher.enrol(unit, found)
            unreadable += [person_id for person_id in some if person_id not in found]
        return unreadable

    def _reload(self, unit: Unit, gallery: Gallery, subject_ids: Sequence[str]) -> None:
        plates = dict(vehicles.list_plates(unit.rows, unit.site_id, subject_ids))
        gallery.unreadable.difference_update(subject_ids)
        self._learn(unit, gallery, subject_ids, plates)

    def _learn(
        self, unit: Unit, gallery: Gallery, subject_ids: Sequence[str], plates: Mapping[str, bytes]
    ) -> None:
        """Know each of these by what is kept of them; one bad record must not shut the gates to everybody."""
        unreadable: set[str] = set()
        keys = open_keys(unit, self.vault, subject_ids, unreadable=unreadable)
        for subject_id in subject_ids:
            try:
                _know(gallery, subject_id, keys.get(subject_id), plates.get(subject_id))
            except Tampered:
                _know(gallery, subject_id, None, None)
                unreadable.add(subject_id)
        note_unreadable(unit, gallery, unreadable)


def note_unreadable(unit: Unit, gallery: Gallery, subject_ids: Iterable[str]) -> None:
    """Keep in the log that these are left out, once while it lasts; `gates` raises the alarm."""
    fresh = set(subject_ids) - gallery.unreadable
    gallery.unreadable.update(fresh)
    for subject_id in sorted(fresh)[:MOST_TOLD]:
        record(unit, "subject.unreadable", subject_id=subject_id, of=len(fresh))


def load_gallery(unit: Unit, recogniser: Recogniser) -> int:
    """Make ready for the first question; how many faces there are."""
    recogniser.gallery(unit)
    return recogniser.matcher.count(unit)


def _know(gallery: Gallery, subject_id: str, key: SubjectKey | None, plate: bytes | None) -> None:
    """Know a vehicle by this and by nothing else; `Tampered` if it is not what was sealed."""
    if plate is None:
        gallery.plates.drop(subject_id)
    elif key is None:
        raise Tampered("A record has lost its key.")
    else:
        gallery.plates.put(subject_id, key.unseal(plate_place(subject_id), plate).decode())


def announce(unit: Unit, subject_id: str) -> None:
    """Tell every process that this subject's card, code or plate changed."""
    faces.add_change(unit.rows, unit.site_id, subject_id)


def nobody_here() -> NotFound:
    """The answer about persons and vehicles that do not exist, here or at all."""
    return NotFound("There is no such person or vehicle at this site.")
