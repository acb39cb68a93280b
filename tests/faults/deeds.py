"""Single deeds in a process of their own, for ends that no request can bring about."""

import resource
import signal
from pathlib import Path

from doorward.app.custody import next_custodian
from doorward.app.house import open_house
from doorward.vault.service import add_photo, rotate_root
from tests.faults.plug import Plug

PHOTO_BYTES = 3 * 1024 * 1024


def main(words: list[str]) -> None:
    """Do the deed that the first word names."""
    deed, *rest = words
    {"photo": photo, "root": root}[deed](*rest)


def photo(folder: str, person_id: str) -> None:
    """The kernel ends the process in the middle of writing a photo's object."""
    house = open_house(Path(folder))
    signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (PHOTO_BYTES // 2, resource.RLIM_INFINITY))
    with house.unit() as unit:
        add_photo(unit, house.vault, person_id, bytes(PHOTO_BYTES))


def root(folder: str, step: str) -> None:
    """A fresh root key takes the place of the one in the key file; power fails at that step."""
    house = open_house(Path(folder))
    Plug(step, "").watch(house.database.engine)
    rotate_root(house.database, house.vault, next_custodian(house.settings, house.vault))
