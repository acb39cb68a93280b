"""A gallery of made-up faces: random directions, and a plain matrix that says what the answers must be."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from doorward.app.matchers import schemes_of
from doorward.audit.service import list_entries
from doorward.gallery import service, store
from doorward.gallery.drivers.local_matcher import LocalMatcher
from doorward.gallery.model import Block, State, Wanted
from doorward.gallery.ports import Question
from doorward.gallery.service import KeyHolder
from doorward.matching.block_files import FolderBlocks
from doorward.matching.matcher import Answer
from doorward.matching.parameters import MODULUS
from doorward.platform.db import Database, Unit
from doorward.platform.paging import PageRequest
from doorward.vault.service import Vault, make_subject_key
from tests.conftest import GUARD, SITE, SteppingClock

Template = NDArray[np.float32]


def direction(seed: int) -> Template:
    """The face of made-up person number `seed`."""
    return _unit(np.random.default_rng(seed).normal(size=128))


def near(seed: int, shot: int = 0, *, cosine: float = 0.8) -> Template:
    """That person on another photo, so like the first."""
    face = direction(seed)
    noise = np.random.default_rng([seed, shot]).normal(size=128)
    noise = noise - (noise @ face) * face
    return _unit(cosine * face + np.sqrt(1 - cosine**2) * noise / np.linalg.norm(noise))


def _unit(vector: Any) -> Template:
    return np.asarray(vector / np.linalg.norm(vector), np.float32)


@dataclass
class Site:
    """One site's gallery as one process holds it."""

    database: Database
    clock: SteppingClock
    vault: Vault
    folder: Path
    kept: dict[str, Template] = field(default_factory=dict)  # what the sealed templates are in the product
    kind: str = "local"  # as the settings say

    def __post_init__(self) -> None:
        self.blocks = FolderBlocks(self.folder)
        self.matcher = LocalMatcher(self.blocks)
        self.keyholder = KeyHolder(
            self.vault,
            self.blocks,
            self.matcher,
            schemes=schemes_of(self.kind),
            templates=partial(_kept, self.kept),
            threads=2,
        )

    def another_process(self, kind: str | None = None) -> "Site":
        """The same site, held by another process, with these settings."""
        return Site(self.database, self.clock, self.vault, self.folder, self.kept, kind or self.kind)

    @contextmanager
    def unit(self) -> Iterator[Unit]:
        with self.database.unit(GUARD, SITE) as unit:
            yield unit

    def enrol(self, *seeds: int) -> None:
        """People whose ids are `person_` and their number."""
        templates = {name(seed): direction(seed) for seed in seeds}
        self.kept.update(templates)
        with self.unit() as unit:
            service.enrol(unit, self.keyholder, templates)

    def forget(self, *seeds: int) -> None:
        for seed in seeds:
            self.kept.pop(name(seed), None)
        with self.unit() as unit:
            service.forget(unit, self.keyholder, [name(seed) for seed in seeds])

    def who(self, seed: int, shot: int = 1, *, cut: float = 0.5) -> str | None:
        with self.unit() as unit:
            return service.identify(unit, self.keyholder, near(seed, shot), cut)

    def fits(self, claimed: int, seed: int, *, cut: float = 0.5) -> bool:
        with self.unit() as unit:
            return service.verify(unit, self.keyholder, name(claimed), near(seed, 1), cut)

    def count(self) -> int:
        with self.unit() as unit:
            return service.count(unit, self.keyholder)

    def blocks_now(self) -> list[Block]:
        with self.unit() as unit:
            current = store.find_generation(unit.rows, SITE, State.CURRENT)
            return store.list_blocks(unit.rows, current.id) if current else []

    def events(self, event: str) -> int:
        with self.unit() as unit:
            return len(list_entries(unit, PageRequest(None, 200), event=event).items)


def name(seed: int) -> str:
    return f"person_{seed:016d}"


def give_keys(unit: Unit, vault: Vault, seeds: Sequence[int]) -> None:
    for seed in seeds:
        make_subject_key(unit, vault, name(seed))


def _kept(kept: Mapping[str, Template], _unit: Unit, subject_ids: Sequence[str]) -> dict[str, Template]:
    return {subject_id: kept[subject_id] for subject_id in subject_ids if subject_id in kept}


def spoil(path: Path) -> None:
    content = path.read_bytes()
    path.unlink()  # whoever mapped the former file reads on
    path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))


class Liar:
    """A matcher that changes its answers."""

    def __init__(self, honest: object, lie: Callable[[Answer], Answer]) -> None:
        self.honest, self.lie = honest, lie

    def keep(self, digests: Collection[str]) -> None: ...

    def answer(self, query: Question, shelves: Sequence[Wanted]) -> list[Answer]:
        return [self.lie(one) for one in self.honest.answer(query, shelves)]  # type: ignore[attr-defined]


def one_word(answer: Answer) -> Answer:
    mask = answer.mask.copy()
    mask[-1, 77] = (mask[-1, 77] + 1) % MODULUS
    return Answer(answer.face, mask)
