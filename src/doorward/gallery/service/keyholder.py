"""The key holder of every site in this process: secrets in memory, kept true by the manifest."""

import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from doorward.core.errors import NotFound, Tampered
from doorward.gallery import store
from doorward.gallery.model import Block, Generation, Place, Shelf, State, Wanted
from doorward.gallery.ports import Asker, Blocks, Keys, Matcher, Scheme, Schemes
from doorward.gallery.rules import Refusals, alive
from doorward.gallery.service.mending import Templates, begin_anew, mend_block
from doorward.gallery.service.sealing import Sealer, secret_of, unsealed_rotation
from doorward.matching.blocks import Cells
from doorward.platform.db import Unit
from doorward.vault.service import Vault

BEHIND = 10
PAUSE_SECONDS = 0.02


@dataclass(slots=True)
class HeldShelf:
    """One shelf: what decrypts it, and the blocks it was built from (mappings of files, not copies)."""

    shelf: Shelf
    keys: Keys[Any, Any]
    blocks: list[Block] = field(default_factory=list)
    cells: list[Cells] = field(default_factory=list, repr=False)

    @property
    def wanted(self) -> Wanted:
        """How a matcher is asked for it."""
        return Wanted(self.shelf.id, tuple(block.digest for block in self.blocks))


@dataclass(slots=True)
class Held:
    """One site's gallery as this process holds it."""

    generation: Generation
    rotation: bytes = field(repr=False)
    scheme: Scheme[Any, Any]
    asker: Asker[Any]
    shelves: dict[str, HeldShelf] = field(default_factory=dict)
    count: int = 0


class KeyHolder:
    """Opens what is needed to ask and to decide. Safe from any thread."""

    def __init__(
        self,
        vault: Vault,
        blocks: Blocks,
        matcher: Matcher,
        *,
        schemes: Schemes,
        templates: Templates,
        threads: int = 1,
    ) -> None:
        self.vault = vault
        self.blocks = blocks
        self.matcher = matcher
        self.schemes = schemes
        self.templates = templates
        self.threads = threads
        self.refusals: dict[str, Refusals] = {}
        self.away: set[str] = set()  # sites whose matcher did not answer when it was last asked
        self._held: dict[str, Held] = {}
        self._turn = threading.RLock()
        self._ahead = ThreadPoolExecutor(1, thread_name_prefix="queries", initializer=_give_way)

    def sealer(self, unit: Unit) -> Sealer:
        """What seals and opens blocks within a unit."""
        return Sealer(unit, self.vault, self.blocks, self.schemes)

    def held(self, unit: Unit) -> Held | None:
        """This site's gallery, as true as the unit's own view of the manifest; None where nobody is."""
        with self._turn:
            held = self._held.get(unit.site_id)
            if held is not None and store.is_present(unit.rows, unit.site_id, held.generation):
                return held
            return self._brought_up(unit, held)

    def held_with(self, unit: Unit, subject_id: str) -> tuple[Held | None, Place | None]:
        """The same, and where somebody lies in it."""
        with self._turn:
            held = self._held.get(unit.site_id)
            if held is not None:
                same, place = store.find_present_place(unit.rows, unit.site_id, held.generation, subject_id)
                if same:
                    return held, place
            held = self._brought_up(unit, held)
        place = store.find_place(unit.rows, held.generation.id, subject_id) if held is not None else None
        return held, place

    def _brought_up(self, unit: Unit, held: Held | None) -> Held | None:
        current = store.find_generation(unit.rows, unit.site_id, State.CURRENT)
        if current is None:
            return None
        if held is None or _is_another(held.generation, current):
            rotation = self._rotation(unit, current)
            if rotation is None:
                return None
            scheme = self.schemes[current.scheme]
            held = Held(current, rotation, scheme, scheme.asker(current.length))
        elif held.generation.token == current.token:
            held.generation = current
            return held
        self._catch_up(unit, held, current)
        self._held[unit.site_id] = held
        return held

    def prepare_next(self, held: Held) -> None:
        """Make the next query's encryption of zero once nobody waits for this one's answer."""
        self._ahead.submit(_prepare_later, held.asker)

    def _rotation(self, unit: Unit, current: Generation) -> bytes | None:
        try:
            return unsealed_rotation(unit, self.vault, current)
        except (NotFound, Tampered):
            begin_anew(unit, current)
            return None

    def _catch_up(self, unit: Unit, held: Held, current: Generation) -> None:
        """Read what changed. A rolled-back unit's changes differ from the manifest like any others."""
        shelves = store.list_shelves(unit.rows, current.id)
        by_shelf: dict[str, list[Block]] = {shelf.id: [] for shelf in shelves}
        for block in store.list_blocks(unit.rows, current.id):
            by_shelf[block.shelf_id].append(block)
        known = {}
        for shelf in shelves:
            now = by_shelf[shelf.id]
            kept = self._kept_shelf(unit, held, held.shelves.get(shelf.id), now)
            known[shelf.id] = kept or self._loaded_shelf(unit, held, shelf, now)
        held.generation, held.shelves = current, known
        held.count = sum(one.keys.count() for one in known.values())

    def _kept_shelf(
        self, unit: Unit, held: Held, one: HeldShelf | None, blocks: list[Block]
    ) -> HeldShelf | None:
        """The shelf we hold, with what changed; None to load it whole."""
        if one is None or len(one.blocks) > len(blocks):
            return None
        for block in blocks:
            former = one.blocks[block.number] if block.number < len(one.blocks) else None
            if former != block:
                self._put(unit, held.scheme, one, block, former)
        return one

    def _loaded_shelf(self, unit: Unit, held: Held, shelf: Shelf, blocks: list[Block]) -> HeldShelf:
        one = HeldShelf(shelf, held.scheme.keys(shelf.mask_seed, held.generation.length))
        for block in blocks:
            self._put(unit, held.scheme, one, block, None)
        return one

    def _put(
        self, unit: Unit, scheme: Scheme[Any, Any], held: HeldShelf, block: Block, former: Block | None
    ) -> None:
        place = block.number
        if former is None or former.seal_id != block.seal_id:
            block, cells, secret = self._opened(unit, held.shelf, block)
            held.keys.put(place, scheme.secret(secret), cells, held.cells[place] if former else None)
            held.cells[place : place + 1] = [cells]
        held.blocks[place : place + 1] = [block]
        held.keys.set_living(place, alive(block.living))

    def _opened(self, unit: Unit, shelf: Shelf, block: Block) -> tuple[Block, Cells, bytes]:
        try:
            return block, self.blocks.get(block.digest), secret_of(unit, self.vault, shelf, block)
        except (NotFound, Tampered):
            generation = store.find_generation(unit.rows, unit.site_id, State.CURRENT)
            assert generation is not None
            block = mend_block(self.sealer(unit), self.templates, generation, shelf, block)
            return block, self.blocks.get(block.digest), secret_of(unit, self.vault, shelf, block)


def _give_way() -> None:
    """Whatever else this machine does goes before (on Linux a thread has a niceness of its own)."""
    os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), BEHIND)


def _prepare_later(asker: Asker[Any]) -> None:
    time.sleep(PAUSE_SECONDS)
    asker.prepare()


def _is_another(held: Generation, current: Generation) -> bool:
    """Whether nothing that is held of the one may be taken for the other."""
    return (held.id, held.trusted_at) != (current.id, current.trusted_at)
