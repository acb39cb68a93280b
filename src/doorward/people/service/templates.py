"""Templates and plates under their owners' keys: where they lie, and how they are opened again."""

from collections.abc import Sequence

import numpy as np

from doorward.core.errors import Tampered
from doorward.people.store import faces
from doorward.platform.db import Unit
from doorward.vault.model import Place
from doorward.vault.service import Vault, open_keys
from doorward.vision.model import TEMPLATE_LENGTH, FaceTemplate


def templates_of(vault: Vault, unit: Unit, person_ids: Sequence[str]) -> dict[str, FaceTemplate]:
    """The templates of these persons; whoever has none, or one that does not open, is left out.

    They are needed to enrol and to renew, never to search.
    """
    lost: set[str] = set()
    keys = open_keys(unit, vault, person_ids, unreadable=lost)
    found: dict[str, FaceTemplate] = {}
    for person_id, sealed in faces.list_templates(unit.rows, unit.site_id, person_ids):
        try:
            key = keys[person_id]
            found[person_id] = template_from(key.unseal(template_place(person_id), sealed))
        except (KeyError, Tampered):
            continue
    return found


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
