"""What the gallery says of itself: sizes and states, never a template and never a score."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Template: TypeAlias = NDArray[np.float32]
"""Shape (d,), length one: two faces compare by their dot product."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a subject lies in a generation of the gallery."""

    shelf_id: str
    block: int
    slot: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Shelf:
    """Up to 64 blocks under one public mask."""

    id: str
    generation_id: str
    number: int
    mask_seed: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """One sealing of up to 2048 templates: which object holds it, its sealed seed, who of it is alive.

    `seal_id` names the vault's key that the seed lies under; it is new at each sealing. `living` is a bitmap
    of 256 bytes. `dirty` says that somebody who was forgotten is still under the seal.
    """

    shelf_id: str
    number: int
    seal_id: str
    digest: str
    seed: bytes
    living: bytes
    dirty: bool


@dataclass(frozen=True, slots=True)
class KeptTemplate:
    """A subject's template, sealed; `key_id` names the vault's key, which is new at each enrolment."""

    subject_id: str
    key_id: str
    template: bytes


@dataclass(frozen=True, slots=True)
class Wanted:
    """A shelf as a matcher is asked for it: its blocks by name, in order."""

    shelf_id: str
    digests: tuple[str, ...]


class State(StrEnum):
    """What a generation is for: searched, being filled by a re-keying, or on its way out."""

    CURRENT = "current"
    FILLING = "filling"
    RETIRED = "retired"


class SchemeName(StrEnum):
    """By whose cryptography a generation is sealed: ours, or Microsoft SEAL's."""

    OWN = "own"
    SEAL = "seal"


@dataclass(frozen=True, slots=True, kw_only=True)
class Generation:
    """A whole gallery under one secret rotation. `token` changes with every change of it.

    `distrusted_at` is set once an answer failed its check: from then on nobody is asked, until somebody
    looked into it. `trusted_at` is then set, and when a check mended blocks: every process reads all anew.
    """

    id: str
    state: State
    length: int
    rotation_id: str
    rotation: bytes
    token: bytes
    made_at: datetime
    scheme: SchemeName = SchemeName.OWN
    distrusted_at: datetime | None = None
    trusted_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How a site's gallery stands, for whoever runs it; the id is that of the generation, None for none."""

    id: str | None
    scheme: SchemeName | None
    faces: int
    blocks: int
    bytes: int  # of all blocks together, on disk and at the matcher
    waiting: int  # blocks to be sealed anew because somebody was forgotten
    made_at: datetime | None  # since when its rotation is in use
    distrusted_at: datetime | None
    rekeying: bool
    renewed: int  # faces that are in the next generation already


class Doubt(StrEnum):
    """Why nobody is found just now, whoever they are."""

    AWAY = "away"
    DECIDER_AWAY = "decider-away"
    FORGED = "forged"
    ASKED_TOO_OFTEN = "asked-too-often"
