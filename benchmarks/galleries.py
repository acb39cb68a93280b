"""How long it takes to load a gallery and to find a face or a plate among N, the plain way beside it.

Random templates and plates; no pictures. Run: python -m benchmarks.galleries [people]
"""

import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks._figures import Figure, tell
from doorward.app.tables import METADATA
from doorward.core.clock import system_clock
from doorward.core.permissions import system_actor
from doorward.people.service import load_gallery
from doorward.people.service.known_plates import KnownPlates
from doorward.people.service.templates import template_bytes, template_place
from doorward.people.store import faces
from doorward.platform.db import Database
from doorward.platform.engine import encrypted_sqlite
from doorward.vault.drivers.custodians import FileCustodian
from doorward.vault.drivers.objects import FolderObjects
from doorward.vault.service import Vault, make_subject_key
from doorward.vision.plates.known import match
from tests.searching import recogniser_at

SIZES = (100, 1_000, 10_000, 100_000)
LOAD_LIMIT_SECONDS = 2.0
SITE, ACTOR = "site_bench", system_actor("bench")
LETTERS = "ABCDEFGHJKLMNPRSTUVWXYZ0123456789"


@dataclass(frozen=True)
class Site:
    """A site with so many enrolled, their templates sealed and in no search yet."""

    database: Database
    vault: Vault
    folder: Path


def main(people: int) -> int:
    """Print every figure."""
    random = np.random.default_rng(0)
    for size in sorted({*SIZES, people}):
        rows = _directions(size, random)
        with _site(rows) as site:
            _measure(site, rows, limited=size == people == 10_000)
    _plates(10_000, random)
    return 0


def _measure(site: Site, rows: NDArray[np.float32], *, limited: bool) -> None:
    """Make the encrypted gallery, load it in a fresh process's stead, and search it."""
    size, took = len(rows), []
    for _ in range(4):
        fresh, begun = recogniser_at(site.vault, site.folder / "gallery"), time.perf_counter()
        with site.database.unit(ACTOR, SITE) as unit:
            assert load_gallery(unit, fresh) == size
        took.append(time.perf_counter() - begun)
    print(f"seal {size:,} templates into a gallery: {size / took[0]:,.0f} a second")
    seconds = statistics.median(took[1:])
    limit = f"<= {LOAD_LIMIT_SECONDS} s" if limited else ""
    met = seconds <= LOAD_LIMIT_SECONDS if limited else None
    tell(Figure(f"load a gallery of {size:,}", f"{seconds:.2f} s", limit, met))
    query = rows[size // 2]
    with site.database.unit(ACTOR, SITE) as unit:
        ours, plain = _medians(
            lambda: fresh.matcher.identify(unit, query, one_in=200), lambda: int(np.argmax(rows @ query))
        )
    print(f"find a face among {size:>7}: {ours:8.0f} us; one NumPy product in the clear {plain:8.0f} us")


@contextmanager
def _site(rows: NDArray[np.float32]) -> Iterator[Site]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        keys = folder / "keys"
        vault = Vault.create(keys, FileCustodian(keys / "root.key"), FolderObjects(folder / "objects"))
        engine = encrypted_sqlite(folder / "bench.db", bytes(range(32)))
        METADATA.create_all(engine)
        database = Database(engine, system_clock)
        _fill(database, vault, rows)
        yield Site(database, vault, folder)
        engine.dispose()


def _fill(database: Database, vault: Vault, rows: NDArray[np.float32]) -> None:
    with database.unit(ACTOR, SITE) as unit:
        for number, template in enumerate(rows):
            person_id = f"person_{number}"
            key = make_subject_key(unit, vault, person_id)
            row = faces.TemplateRow(
                person_id=person_id,
                site_id=SITE,
                template=key.seal(template_place(person_id), template_bytes(template)),
                frames=3,
                basis="consent",
                notice_version="1",
                override=None,
                enrolled_at=unit.now,
            )
            faces.put_template(unit.rows, row)


def _plates(size: int, random: np.random.Generator) -> None:
    plates = ["".join(random.choice(list(LETTERS), 7)) for _ in range(size)]
    known = KnownPlates()
    for number, plate in enumerate(plates):
        known.put(f"vehicle_{number}", plate)
    read = [(plates[0], 0.6), (plates[1], 0.2), ("AB0B8SZ", 0.1)]
    ours, plain = _medians(lambda: known.match(read), lambda: match(read, plates), runs=20)
    print(f"find a plate among {size}: {ours:8.0f} us; weighing every plate beside it {plain:8.0f} us")


def _directions(count: int, random: np.random.Generator) -> NDArray[np.float32]:
    rows = random.normal(size=(count, 128)).astype(np.float32)
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), np.float32)


def _medians(*deeds: Callable[[], object], runs: int = 200) -> list[float]:
    """Medians in microseconds; the deeds take turns, so that a busy moment hits them alike."""
    took: list[list[float]] = [[] for _ in deeds]
    for _ in range(runs):
        for deed, times in zip(deeds, took, strict=True):
            begun = time.perf_counter()
            deed()
            times.append(1e6 * (time.perf_counter() - begun))
    return [statistics.median(times) for times in took]


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 10_000))
