"""Full and read-only disks, and a writer's place that is kept: nothing of the gallery is kept by halves."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from doorward.app.house import House, open_house
from doorward.app.wiring import build_handlers
from doorward.core.errors import Unavailable
from doorward.gallery.service import CLEAR_FORGOTTEN
from doorward.platform.engine import encrypted_sqlite
from doorward.platform.jobs import run_due
from tests.faults import gallery_deeds as deeds
from tests.faults.gallery_deeds import NEWCOMER, gallery
from tests.faults.site import Site
from tests.faults.test_disk import SmallDisk, small_disk
from tests.faults.test_gallery_power import done, objects, require_whole, who

FAILED = 70


@contextmanager
def on_a_disk(site: Site) -> Iterator[SmallDisk]:
    """The objects on a disk of their own."""
    disk = small_disk(site.folder.parent / "disk")
    place = gallery(site.folder)
    try:
        subprocess.run(["cp", "-a", f"{place}/.", str(disk.folder)], check=True)
        subprocess.run(["mount", "--bind", str(disk.folder), str(place)], check=True)
        yield disk
    finally:
        subprocess.run(["umount", "--lazy", str(place)], check=False)
        subprocess.run(["umount", "--lazy", str(disk.folder)], check=True)


@contextmanager
def ended(disk: SmallDisk, how: str) -> Iterator[None]:
    """A disk that takes no more."""
    if how == "full":
        with disk.full():
            yield
        return
    for word in ("ro", "rw"):
        subprocess.run(["mount", "-o", f"remount,{word}", str(disk.folder)], check=True)
        if word == "ro":
            yield


@pytest.mark.parametrize("how", ["full", "read-only"])
def test_a_disk_that_takes_no_block_refuses_newcomers_knows_everybody_and_still_forgets(
    site: Site, ids: dict[int, str], how: str
) -> None:
    with on_a_disk(site) as disk:
        before = objects(site.folder)
        with ended(disk, how), site.opened() as house:
            for deed in (deeds.come, lambda house: deeds.change(house, ids[3]), two_steps_of_a_renewal):
                with pytest.raises(Unavailable, match="disk"):
                    deed(house)
            assert [who(house, face) for face in (1, 2, 3, NEWCOMER)] == [ids[1], ids[2], ids[3], None]
            deeds.go(house, ids[1])
            assert [who(house, face) for face in (1, 2)] == [None, ids[2]]
            assert waiting(house) == 1
        assert objects(site.folder) == before
        with later(site) as house:
            run_due(house.database, build_handlers(house))
            assert waiting(house) == 0
        require_whole(site, {1: None, 2: ids[2], 3: ids[3]})


def two_steps_of_a_renewal(house: House) -> None:
    deeds.begin(house)
    deeds.go_on(house)


def waiting(house: House) -> int:
    """How many promises to clear somebody away are not kept yet."""
    with house.unit() as unit:
        query = text("SELECT count(*) FROM jobs WHERE name = :name AND done_at IS NULL")
        return int(unit.rows.scalar(query, {"name": CLEAR_FORGOTTEN}))


@contextmanager
def later(site: Site) -> Iterator[House]:
    """The site some minutes from now."""
    house = open_house(site.folder, lambda: datetime.now(UTC) + timedelta(minutes=2))
    try:
        yield house
    finally:
        house.close()


@pytest.mark.parametrize("deed", ["enrol", "update", "fill", "clear"])
def test_a_kernel_that_lets_no_file_grow_stops_a_sealing_and_leaves_nothing_of_it(
    site: Site, ids: dict[int, str], deed: str
) -> None:
    before = objects(site.folder)
    assert done(site, deed, "small", ids[1]) == FAILED
    assert "Unavailable" in (site.folder.parent / deed).with_suffix(".err").read_text()
    assert objects(site.folder) == before
    with site.opened() as house:
        assert [who(house, face) for face in (1, 2, 3, NEWCOMER)] == [ids[1], ids[2], ids[3], None]
    require_whole(site, dict(ids))


def test_a_kernel_that_lets_no_file_grow_stops_nobody_from_being_forgotten(
    site: Site, ids: dict[int, str]
) -> None:
    assert done(site, "forget", "small", ids[1]) == 0
    with later(site) as house:
        assert (who(house, 1), who(house, 2), waiting(house)) == (None, ids[2], 1)
        run_due(house.database, build_handlers(house))
        assert (waiting(house), who(house, 3)) == (0, ids[3])
    require_whole(site, {1: None, 2: ids[2], 3: ids[3]})


def test_a_writers_place_kept_by_another_is_said_and_no_object_is_written(
    site: Site, ids: dict[int, str]
) -> None:
    before = objects(site.folder)
    with site.opened() as house:
        other = encrypted_sqlite(site.database, house.vault.database_keys()[0])
        who(house, 1)
        with other.begin():
            for deed in (deeds.come, lambda house: deeds.go(house, ids[1])):
                with pytest.raises(Unavailable, match="busy"):
                    deed(house)
        other.dispose()
    assert objects(site.folder) == before
    require_whole(site, dict(ids))
