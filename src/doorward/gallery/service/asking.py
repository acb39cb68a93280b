"""Who is this? Asked in ciphertext, checked, decided: an identifier or nobody, never a score."""

from doorward.audit.service import record
from doorward.core.errors import Tampered
from doorward.gallery import store
from doorward.gallery.model import Place, Template
from doorward.gallery.rules import Refusals
from doorward.gallery.service.keyholder import Held, HeldShelf, KeyHolder
from doorward.matching.matcher import Answer
from doorward.matching.queries import QueryKey
from doorward.matching.rotation import asked
from doorward.platform.db import Unit


def identify(unit: Unit, keyholder: KeyHolder, template: Template, cut: float) -> str | None:
    """The nearest subject whose cosine reaches the cut, or None: unknown, asked too often, or in doubt.

    `Unavailable` if the matcher did not answer for everybody.
    """
    held = _asked_of(unit, keyholder)
    if held is None:
        return None
    shelves = list(held.shelves.values())
    key, answers = _answers(unit, keyholder, held, template, shelves)
    found = _nearest(keyholder, key, shelves, answers)
    subject_id = store.find_subject(unit.rows, found[0]) if found is not None and found[1] >= cut else None
    _note(unit, keyholder, refused=subject_id is None)
    return subject_id


def verify(unit: Unit, keyholder: KeyHolder, subject_id: str, template: Template, cut: float) -> bool:
    """Whether this very subject reaches the cut; False if it is not enrolled, or in doubt."""
    held = _asked_of(unit, keyholder)
    place = store.find_place(unit.rows, held.generation.id, subject_id) if held is not None else None
    if held is None or place is None:
        return False
    shelf = held.shelves[place.shelf_id]
    key, answers = _answers(unit, keyholder, held, template, [shelf])
    score = shelf.keys.score_of(key, answers[0], place.block, place.slot) if answers else None
    fits = score is not None and score >= cut
    _note(unit, keyholder, refused=not fits)
    return fits


def count(unit: Unit, keyholder: KeyHolder) -> int:
    """How many are enrolled."""
    held = keyholder.held(unit)
    return held.count if held is not None else 0


def _asked_of(unit: Unit, keyholder: KeyHolder) -> Held | None:
    """The gallery, if this requester may ask it."""
    held = keyholder.held(unit)
    if held is None or not held.count or held.generation.distrusted_at is not None:
        return None
    bucket = keyholder.refusals.get(unit.actor.id, Refusals())
    if bucket.may_ask(unit.now):
        return held
    record(unit, "gallery.asked-too-often", requester=unit.actor.id)
    return None


def _note(unit: Unit, keyholder: KeyHolder, *, refused: bool) -> None:
    if refused:
        bucket = keyholder.refusals.get(unit.actor.id, Refusals())
        keyholder.refusals[unit.actor.id] = bucket.refused(unit.now)


def _answers(
    unit: Unit, keyholder: KeyHolder, held: Held, template: Template, shelves: list[HeldShelf]
) -> tuple[QueryKey, list[Answer]]:
    """The checked answers of these shelves; none if one of them fails, and then never again."""
    key = held.asker.ask(asked(template, held.rotation))
    answers = keyholder.matcher.answer(key.query, [shelf.wanted for shelf in shelves])
    keyholder.prepare_next(held)
    try:
        for shelf, answer in zip(shelves, answers, strict=True):
            shelf.keys.check(key, answer, threads=keyholder.threads)
    except (Tampered, ValueError):
        _distrust(unit, held)
        return key, []
    return key, answers


def _distrust(unit: Unit, held: Held) -> None:
    """Ask nobody any more: an answer that passes by chance takes as many tries as it is given."""
    store.change_generation(unit.rows, held.generation.id, distrusted_at=unit.now)
    record(unit, "gallery.answer-forged", generation=held.generation.id)


def _nearest(
    keyholder: KeyHolder, key: QueryKey, shelves: list[HeldShelf], answers: list[Answer]
) -> tuple[Place, float] | None:
    best: tuple[Place, float] | None = None
    for held, answer in zip(shelves, answers, strict=False):
        near = held.keys.nearest(key, answer, threads=keyholder.threads)
        if near is not None and (best is None or near.score > best[1]):
            best = Place(held.shelf.id, near.block, near.slot), near.score
    return best
