"""The process of one worker, as Ray runs it on whatever machine has room."""

from pathlib import Path
from typing import Final

from doorward_matcher.memory import give_back
from doorward_matcher.shard import Part, Shard

BOOT: Final = Path("/proc/sys/kernel/random/boot_id")


class RayWorker:
    """A shard. On the front's own machine it maps the front's blocks; elsewhere it keeps its own."""

    def __init__(self, own: str, beside: str, mark: str, threads: int) -> None:
        near = Path(beside) if mark and folder_mark(Path(beside)) == mark else None
        self._shard = Shard(Path(own), near, threads=threads)
        give_back()

    def alive(self) -> bool:
        """Whether this process does anything at all."""
        return True

    def search(self, decider: str, message: bytes, places: list[int]) -> Part:
        """The answers for some shelves of a search, or what is missing."""
        return self._shard.search(decider, message, places)

    def put(self, decider: str, message: bytes) -> None:
        """Keep a block."""
        self._shard.put(decider, message)

    def keep(self, decider: str, digests: frozenset[str], spared_seconds: float) -> None:
        """Let go of all others."""
        self._shard.keep(decider, digests, spared_seconds)


def folder_mark(folder: Path) -> str:
    """Tells this very folder from one of the same name elsewhere; empty if we may not read it."""
    try:
        facts, boot = folder.stat(), BOOT.read_text(encoding="ascii").strip()
        next(folder.iterdir(), None)
    except OSError:
        return ""
    return f"{boot} {facts.st_dev} {facts.st_ino}"
