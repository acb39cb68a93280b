"""Whatever a matcher is: its memory, its files and its logs hold no template and nobody's name."""

import re
from pathlib import Path

import numpy as np
import pytest

from doorward.gallery import store
from doorward.gallery.drivers.either_matcher import EitherMatcher
from doorward.gallery.drivers.local_matcher import LocalMatcher
from doorward.gallery.model import State
from doorward.gallery.service.sealing import unsealed_rotation
from doorward.matching.block_files import FolderBlocks
from doorward.matching.rotation import asked, stored
from doorward.platform.db import Database
from doorward.vault.service import Vault
from tests.conftest import SITE, SteppingClock
from tests.gallery.site import Site, direction, name, near
from tests.matcher.world import Decider, Running, serving

SPAN = re.compile(r"([0-9a-f]+)-([0-9a-f]+) r(w?)")


def memory_of(running: Running) -> bytes:
    """All that the process ever wrote, and the files that it maps."""
    assert running.process is not None
    folder = Path(f"/proc/{running.process.pid}")
    found = []
    try:
        with (folder / "mem").open("rb", 0) as memory:
            for line in (folder / "maps").read_text().splitlines():
                span = SPAN.match(line)
                if span is None or not (span[3] or str(running.folder) in line):
                    continue
                start, end = int(span[1], 16), int(span[2], 16)
                memory.seek(start)
                found.append(memory.read(end - start))
    except PermissionError:
        pytest.skip("reading another process takes root")
    return b"".join(found)


def test_a_matcher_holds_no_template_and_no_name(
    database: Database, clock: SteppingClock, vault: Vault, tmp_path: Path, place: Path, decider: Decider
) -> None:
    site = Site(database, clock, vault, tmp_path / "gallery")
    with serving(place / "secret", decider) as running:
        decider.blocks = FolderBlocks(site.folder)
        site.keyholder.matcher = EitherMatcher(decider.matcher(running), LocalMatcher(site.blocks))
        site.enrol(1, 2, 3)
        assert site.who(2) == name(2)
        with site.unit() as unit:
            generation = store.find_generation(unit.rows, SITE, State.CURRENT)
            assert generation is not None
            rotation = unsealed_rotation(unit, vault, generation)
            (shelf,) = store.list_shelves(unit.rows, generation.id)
        (block,) = site.blocks_now()
        rows = stored(np.stack([direction(seed) for seed in (1, 2, 3)]), rotation)
        secrets = {
            "template": direction(2).tobytes()[:24],
            "live template": near(2, 1).tobytes()[:24],
            "steps": rows[1].tobytes()[:24],
            "query": asked(near(2, 1), rotation).tobytes()[:24],
            "rotation": rotation[:16],
            "person": name(2).encode()[-16:],
            "site": SITE.encode(),
            "sealed seed": block.seed[:16],
            "mask seed": shelf.mask_seed,
        }
        memory = memory_of(running)
        files = b"".join(path.read_bytes() for path in running.files)
        names = "".join(map(str, running.files)).encode()
        assert shelf.id.encode() in memory  # the scan sees what is there
        assert site.blocks.get(block.digest).tobytes()[:64] in memory
        everything = memory + files + names
        found = {what for what, secret in secrets.items() if secret in everything}
        assert not found
        assert running.process is not None
        running.process.terminate()
        assert running.process.communicate(timeout=20) == ("", "")
