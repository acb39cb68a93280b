"""A server in the same process: for `doorward watch` without one, and for the demo."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from doorward.core.wire import Kind, Signed


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalLink:
    """A `Link` made of functions; messages are signed and verified all the same."""

    answer: Callable[[Signed], Signed]
    note: Callable[[Kind, Signed], None]
    take: Callable[[Sequence[Signed], Signed | None], Signed]
    give: Callable[[Signed], Signed]
    order: Callable[[Signed], Signed]
    introduce: Callable[[Signed], Sequence[Signed]]

    def ask(self, sighting: Signed) -> Signed:
        """The permit for a sighting."""
        return self.answer(sighting)

    def report(self, kind: Kind, message: Signed) -> None:
        """An outcome or a door state."""
        self.note(kind, message)

    def replay(self, entries: Sequence[Signed], restart: Signed | None = None) -> Signed:
        """The receipt for journal entries."""
        return self.take(entries, restart)

    def standing(self, request: Signed) -> Signed:
        """What staff ordered."""
        return self.order(request)

    def handovers(self, request: Signed) -> Sequence[Signed]:
        """What introduces the server's present key."""
        return self.introduce(request)

    def fetch(self, request: Signed) -> Signed:
        """Policy or time."""
        return self.give(request)
