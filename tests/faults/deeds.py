"""Single deeds in a process of their own, for ends that no request can bring about."""

import resource
import signal
from pathlib import Path

from doorward.app.house import open_house
from doorward.vault.service import add_photo

PHOTO_BYTES = 3 * 1024 * 1024


def main(words: list[str]) -> None:
    """`photo FOLDER PERSON`: the kernel ends the process in the middle of writing a photo's object."""
    _, folder, person_id = words
    house = open_house(Path(folder))
    signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (PHOTO_BYTES // 2, resource.RLIM_INFINITY))
    with house.unit() as unit:
        add_photo(unit, house.vault, person_id, bytes(PHOTO_BYTES))
