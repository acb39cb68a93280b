"""How long it takes to load a gallery and to find a face or a plate among N, the plain way beside it.

Random templates and plates; no pictures. Run: python -m benchmarks.galleries [people]
"""

import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks._figures import Figure, tell
from doorward.app.tables import METADATA
from doorward.core.clock import system_clock
from doorward.core.permissions import system_actor
from doorward.people.drivers.exact_matcher import ExactMatcher
from doorward.people.service import Recogniser, load_gallery
from doorward.people.service.known_plates import KnownPlates
from doorward.people.service.recogniser import announce, template_bytes, template_place
from doorward.people.store import faces
from doorward.platform.db import Database
from doorward.platform.engine import encrypted_sqlite
from doorward.vault.drivers.custodians import FileCustodian
from doorward.vault.drivers.objects import FolderObjects
from doorward.vault.service import Vault, make_subject_key
from doorward.vision.plates.known import match

SIZES = (100, 1_000, 10_000, 100_000)
LOAD_LIMIT_SECONDS = 2.0
SITE, ACTOR = "site_bench", system_actor("bench")
LETTERS = "ABCDEFGHJKLMNPRSTUVWXYZ0123456789"


def main(people: int) -> int:
    """Print every figure."""
    random = np.random.default_rng(0)
    seconds = _load(people, random)
    limit = f"<= {LOAD_LIMIT_SECONDS} s" if people == 10_000 else ""
    met = seconds <= LOAD_LIMIT_SECONDS if limit else None
    tell(Figure(f"load {people:,} sealed templates", f"{seconds:.2f} s", limit, met))
    for size in SIZES:
        _search(size, random)
    _plates(10_000, random)
    return 0


def _load(people: int, random: np.random.Generator) -> float:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        keys = folder / "keys"
        vault = Vault.create(keys, FileCustodian(keys / "root.key"), FolderObjects(folder / "objects"))
        engine = encrypted_sqlite(folder / "bench.db", bytes(range(32)))
        METADATA.create_all(engine)
        database = Database(engine, system_clock)
        _fill(database, vault, people, random)
        took = []
        for _ in range(3):
            fresh, begun = Recogniser(vault, ExactMatcher), time.perf_counter()
            with database.unit(ACTOR, SITE) as unit:
                assert load_gallery(unit, fresh) == people
            took.append(time.perf_counter() - begun)
        engine.dispose()
    return statistics.median(took)


def _fill(database: Database, vault: Vault, people: int, random: np.random.Generator) -> None:
    with database.unit(ACTOR, SITE) as unit:
        for number, template in enumerate(_directions(people, random)):
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
            announce(unit, person_id)


def _search(size: int, random: np.random.Generator) -> None:
    matcher, rows = ExactMatcher(), _directions(size, random)
    for number, row in enumerate(rows):
        matcher.enrol(str(number), row)
    query = rows[size // 2]
    ours, plain = _medians(lambda: matcher.identify(query, 0.5), lambda: int(np.argmax(rows @ query)))
    print(f"find a face among {size:>7}: {ours:8.0f} us; one NumPy product beside it {plain:8.0f} us")


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
