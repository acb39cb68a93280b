"""Until when several agents on one machine want the same relay on."""

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

BOOT_ID: Final = Path("/proc/sys/kernel/random/boot_id")
LONGEST_SECONDS: Final = 3600.0


class SharedEnd:
    """A small file beside the relay: each agent's end, in seconds since the machine started.

    Two gates with readers on both sides of one strike name the same file, so that neither cuts the other
    short. What cannot be read or kept counts as nothing: then each agent goes by its own end alone.
    """

    def __init__(self, path: Path, agent_id: str) -> None:
        self._path = path
        self._agent_id = agent_id

    def prolong(self, until: float) -> None:
        """This agent wants it on until then."""
        with self._ends() as ends:
            ends[self._agent_id] = until

    def let_go(self) -> None:
        """This agent does not want it on."""
        with self._ends() as ends:
            ends.pop(self._agent_id, None)

    def latest(self) -> float:
        """The end of whoever wants it on for longest among the others."""
        with self._ends() as ends:
            return max((end for who, end in ends.items() if who != self._agent_id), default=float("-inf"))

    @contextmanager
    def _ends(self) -> Iterator[dict[str, float]]:
        try:
            file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError:
            yield {}
            return
        try:
            fcntl.flock(file, fcntl.LOCK_EX)
            ends = _read(os.pread(file, 65_536, 0))
            yield ends
            raw = json.dumps({"boot": _boot(), "ends": ends}).encode()
            os.ftruncate(file, 0)
            os.pwrite(file, raw, 0)
        except OSError:
            return
        finally:
            os.close(file)


def _read(raw: bytes) -> dict[str, float]:
    try:
        found = json.loads(raw)
        ends = found["ends"] if found["boot"] == _boot() else {}
        return {str(who): float(end) for who, end in ends.items()}
    except (ValueError, TypeError, KeyError, AttributeError):
        return {}


def _boot() -> str:
    """What the seconds count from: another start of the machine makes them mean nothing."""
    try:
        return BOOT_ID.read_text().strip()
    except OSError:
        return ""
