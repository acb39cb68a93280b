"""Server keys that followed those in the agent's file."""

from collections.abc import Iterable

from doorward_edge.state.disk import Disk


class KnownKeys:
    """Handed-over keys, each with the key before it. A key that was followed is never trusted again."""

    def __init__(self, disk: Disk) -> None:
        self._disk = disk

    def trusted(self, pinned: Iterable[bytes]) -> tuple[bytes, ...]:
        """The keys that may sign now: those pinned or that followed a pinned one, less those followed since.

        What no pinned key leads to is not trusted, so that a file with new keys alone ends every old line.
        """
        with self._disk.reading() as rows:
            known = {
                bytes(before): bytes(after) for before, after in rows.execute("SELECT * FROM server_keys")
            }
        reached = dict.fromkeys(pinned)
        while more := [
            after for before, after in known.items() if before in reached and after not in reached
        ]:
            reached |= dict.fromkeys(more)
        return tuple(key for key in reached if key not in known)

    def follow(self, before: bytes, after: bytes) -> bool:
        """Keep that a key was followed, once; False if that would bring an older one back."""
        with self._disk.together() as rows:
            known = rows.execute("SELECT 1 FROM server_keys WHERE before IN (?, ?)", (before, after))
            if before == after or known.fetchone():
                return False
            rows.execute("INSERT INTO server_keys VALUES (?, ?)", (before, after))
        return True
