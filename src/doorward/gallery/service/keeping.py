"""Templates that a key holder keeps itself, where it is a program of its own: all is made from them.

Each lies under a key of the vault that is new at each enrolment and destroyed, with a receipt, to forget.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime

import numpy as np

from doorward.audit.service import record
from doorward.core.errors import Tampered
from doorward.core.ids import new_id
from doorward.gallery import store
from doorward.gallery.model import KeptTemplate, State, Template
from doorward.gallery.service.enrolling import enrol, forget
from doorward.gallery.service.keyholder import KeyHolder
from doorward.gallery.service.mending import retire
from doorward.platform.db import Unit
from doorward.vault.model import Place, Receipt
from doorward.vault.service import Vault, drop_key, erase_subject, make_subject_key, open_keys


def keep(unit: Unit, keyholder: KeyHolder, templates: Mapping[str, Template]) -> None:
    """Keep these sealed and enrol them, in place of former ones; as often as it is said, with one effect."""
    former = {one.subject_id: one for one in store.list_templates(unit.rows, unit.site_id, list(templates))}
    for subject_id, template in templates.items():
        if subject_id in former:
            drop_key(unit, former[subject_id].key_id)
        name = new_id("face")
        sealed = make_subject_key(unit, keyholder.vault, name).seal(
            _place(subject_id), template.astype("<f4").tobytes()
        )
        kept = KeptTemplate(subject_id, name, sealed)
        store.put_template(unit.rows, unit.site_id, kept, enrolled_at=unit.now)
        record(unit, "gallery.face-kept", subject_id=subject_id, key=name)
    enrol(unit, keyholder, templates)


def erase(unit: Unit, keyholder: KeyHolder, subject_ids: Sequence[str]) -> list[Receipt]:
    """Forget these faces: their keys go with receipts, their blocks are sealed anew without them."""
    receipts = []
    for kept in list(store.list_templates(unit.rows, unit.site_id, subject_ids)):
        store.forget_template(unit.rows, kept.subject_id)
        receipts.append(erase_subject(unit, keyholder.vault, kept.key_id))
        record(unit, "gallery.face-erased", subject_id=kept.subject_id, key=kept.key_id)
    forget(unit, keyholder, subject_ids)
    return receipts


def kept_templates(vault: Vault, unit: Unit, subject_ids: Sequence[str]) -> dict[str, Template]:
    """The kept templates of these subjects; whoever has none, or one that does not open, is left out."""
    kept = list(store.list_templates(unit.rows, unit.site_id, subject_ids))
    keys = open_keys(unit, vault, [one.key_id for one in kept], unreadable=set())
    found: dict[str, Template] = {}
    for one in kept:
        try:
            raw = keys[one.key_id].unseal(_place(one.subject_id), one.template)
        except (KeyError, Tampered):
            continue
        found[one.subject_id] = np.frombuffer(raw, "<f4").astype(np.float32)
    return found


def list_faces(unit: Unit, *, after: str, before: datetime, most: int) -> list[str]:
    """Whose faces are kept since before then, in order, from one id on."""
    return store.list_kept(unit.rows, unit.site_id, after=after, before=before, most=most)


def list_sites(unit: Unit) -> list[str]:
    """Every site of which templates are kept."""
    return store.list_sites(unit.rows)


def give_up(unit: Unit) -> int:
    """Hold no gallery of this site any more: its keys go now, its rows by a job; how many faces it had."""
    faces = 0
    for state in (State.CURRENT, State.FILLING):
        generation = store.find_generation(unit.rows, unit.site_id, state)
        if generation is None:
            continue
        retire(unit, generation)
        faces += store.count_places(unit.rows, generation.id)
    if faces:
        record(unit, "gallery.given-up", faces=faces)
    return faces


def _place(subject_id: str) -> Place:
    return Place("gallery_templates", "template", subject_id)
