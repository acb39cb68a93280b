"""After an erasure: what SQLite still holds of the time before, in its write-ahead log, goes as well."""

from doorward.core.permissions import EVERY_SITE, system_actor
from doorward.platform.checkpoints import empty_log
from doorward.platform.db import Database
from doorward.vault import store


class LogCloser:
    """For the schedule: empties the write-ahead log once after each erasure, as soon as no reader needs it.

    Until the ratchet has turned, the log cut back by one commit would show whoever was erased in it.
    """

    def __init__(self) -> None:
        self._done: frozenset[str] = frozenset()

    def look(self, database: Database) -> bool:
        """Whether the log was emptied; if a reader was in the way, the next look tries again."""
        with database.reading(system_actor("vault"), EVERY_SITE) as unit:
            erased = frozenset(store.list_unclosed(unit.rows))
        if erased <= self._done or not empty_log(database.engine):
            return False
        self._done = erased
        return True
