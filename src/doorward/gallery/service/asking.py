"""Who is this? Asked in ciphertext, checked, decided: an identifier or nobody, never a score."""

from collections.abc import Callable, Sequence
from typing import Any

from doorward.audit.service import record
from doorward.core.errors import Conflict, Tampered, Unavailable
from doorward.gallery import store
from doorward.gallery.model import Doubt, Place, Standing, State, Template
from doorward.gallery.rules import Refusals, bytes_of_block
from doorward.gallery.service.keyholder import Held, HeldShelf, KeyHolder
from doorward.gallery.service.mending import have_read_anew, mend_unsound
from doorward.matching.matcher import Answer
from doorward.platform.db import Unit

Cut = float | Callable[[int], float]
"""The least cosine that counts, or what it is with so many enrolled."""


def identify(
    unit: Unit, keyholder: KeyHolder, template: Template, cut: Cut, *, besides: str | None = None
) -> str | None:
    """The nearest subject whose cosine reaches the cut, or None: unknown, asked too often, or in doubt.

    `besides` is not looked at. `Unavailable` if the matcher did not answer for everybody.
    """
    held = keyholder.held(unit)
    if held is None or not _may_ask(unit, keyholder, held):
        return None
    shelves = list(held.shelves.values())
    key, answers = _answers(unit, keyholder, held, template, shelves)
    apart = store.find_place(unit.rows, held.generation.id, besides) if besides else None
    found = _nearest(keyholder, key, list(zip(shelves, answers, strict=False)), apart)
    least = cut(held.count) if callable(cut) else cut
    nearest = store.find_subject(unit.rows, found[0]) if found is not None else None  # whoever it is
    subject_id = nearest if found is not None and found[1] >= least else None
    _note(unit, keyholder, refused=subject_id is None)
    return subject_id


def verify(unit: Unit, keyholder: KeyHolder, subject_id: str, template: Template, cut: float) -> bool:
    """Whether this very subject reaches the cut; False if it is not enrolled, or in doubt."""
    held, place = keyholder.held_with(unit, subject_id)
    if held is None or place is None or not _may_ask(unit, keyholder, held):
        return False
    shelf = held.shelves[place.shelf_id]
    key, answers = _answers(unit, keyholder, held, template, [shelf])
    score = shelf.keys.score_of(key, answers[0], place.block, place.slot) if answers else None
    fits = score is not None and score >= cut
    _note(unit, keyholder, refused=not fits)
    return fits


def count(unit: Unit, keyholder: KeyHolder) -> int:
    """How many are enrolled, even where a library is missing that their search needs."""
    try:
        held = keyholder.held(unit)
    except Unavailable:
        return standing(unit).faces
    return held.count if held is not None else 0


def _may_ask(unit: Unit, keyholder: KeyHolder, held: Held) -> bool:
    """Whether anybody can be found, the matcher is trusted, and this requester was not refused too often."""
    if not held.count or held.generation.distrusted_at is not None:
        return False
    bucket = keyholder.refusals.get(unit.actor.id, Refusals())
    if bucket.may_ask(unit.now):
        return True
    record(unit, "gallery.asked-too-often", requester=unit.actor.id)
    return False


def doubt(unit: Unit, keyholder: KeyHolder) -> Doubt | None:
    """Why this requester's faces are nobody's just now; None if nothing is amiss.

    Asked after a face that was nobody's: whoever answers for gates raises an alarm in the same unit.
    """
    current = store.find_generation(unit.rows, unit.site_id, State.CURRENT)
    if current is not None and current.distrusted_at is not None:
        return Doubt.FORGED
    if unit.site_id in keyholder.away:
        return Doubt.AWAY
    bucket = keyholder.refusals.get(unit.actor.id, Refusals())
    return None if bucket.may_ask(unit.now) else Doubt.ASKED_TOO_OFTEN


def _note(unit: Unit, keyholder: KeyHolder, *, refused: bool) -> None:
    if refused:
        bucket = keyholder.refusals.get(unit.actor.id, Refusals())
        keyholder.refusals[unit.actor.id] = bucket.refused(unit.now)


def _answers(
    unit: Unit, keyholder: KeyHolder, held: Held, template: Template, shelves: list[HeldShelf]
) -> tuple[Any, list[Answer]]:
    """The checked answers of these shelves; none if one of them fails, and then never again."""
    key = held.asker.ask(held.scheme.asked(template, held.rotation))
    try:
        answers = keyholder.matcher.answer(key.query, [shelf.wanted for shelf in shelves])
        keyholder.prepare_next(held)
        for shelf, answer in zip(shelves, answers, strict=True):
            shelf.keys.check(key, answer, threads=keyholder.threads)
    except (Tampered, ValueError):
        _distrust(unit, held)
        return key, []
    keyholder.away.discard(unit.site_id)
    return key, answers


def _distrust(unit: Unit, held: Held) -> None:
    """Ask nobody any more: an answer that passes by chance takes as many tries as it is given."""
    store.change_generation(unit.rows, held.generation.id, distrusted_at=unit.now)
    record(unit, "gallery.answer-forged", generation=held.generation.id)


def _nearest(
    keyholder: KeyHolder, key: Any, answered: list[tuple[HeldShelf, Answer]], apart: Place | None
) -> tuple[Place, float] | None:
    best: tuple[Place, float] | None = None
    for held, answer in answered:
        besides = (apart.block, apart.slot) if apart and apart.shelf_id == held.shelf.id else None
        near = held.keys.nearest(key, answer, besides=besides, threads=keyholder.threads)
        if near is not None and (best is None or near.score > best[1]):
            best = Place(held.shelf.id, near.block, near.slot), near.score
    return best


def missing(unit: Unit, subject_ids: Sequence[str]) -> list[str]:
    """Who of these is not enrolled."""
    current = store.find_generation(unit.rows, unit.site_id, State.CURRENT)
    if current is None:
        return list(subject_ids)
    there = store.list_placed(unit.rows, current.id)
    return [subject_id for subject_id in subject_ids if subject_id not in there]


def standing(unit: Unit) -> Standing:
    """How this site's gallery stands, for whoever runs it."""
    current = store.find_generation(unit.rows, unit.site_id, State.CURRENT)
    filling = store.find_generation(unit.rows, unit.site_id, State.FILLING)
    blocks = store.list_blocks(unit.rows, current.id) if current else []
    return Standing(
        id=current.id if current else None,
        scheme=current.scheme if current else None,
        faces=store.count_places(unit.rows, current.id) if current else 0,
        blocks=len(blocks),
        bytes=len(blocks) * bytes_of_block(current.length, current.scheme) if current else 0,
        waiting=sum(block.dirty for block in blocks),
        made_at=current.made_at if current else None,
        distrusted_at=current.distrusted_at if current else None,
        rekeying=filling is not None,
        renewed=store.count_places(unit.rows, filling.id) if filling else 0,
    )


def trust_again(unit: Unit, keyholder: KeyHolder) -> int:
    """Ask the matcher again, once somebody found out why its answer was wrong; how many blocks were mended.

    Every block is read anew, and one that is not what was sealed is made anew. `Conflict` if nothing is.
    """
    current = store.find_generation(unit.rows, unit.site_id, State.CURRENT)
    if current is None or current.distrusted_at is None:
        raise Conflict("This site's matcher is trusted: there is nothing to do.")
    mended = mend_unsound(keyholder.sealer(unit), keyholder.templates, current)
    store.change_generation(unit.rows, current.id, distrusted_at=None)
    have_read_anew(unit, current)
    record(unit, "gallery.trusted-again", generation=current.id, mended=mended)
    return mended
