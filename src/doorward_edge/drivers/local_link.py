"""A server in the same process: for `doorward watch` without one, and for the demo."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from doorward.core.wire import Kind, Signed


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalLink:
    """A `Link` made of five functions; messages are signed and verified all the same."""

    answer: Callable[[Signed], Signed]
    note: Callable[[Kind, Signed], None]
    take: Callable[[Sequence[Signed]], Signed]
    give: Callable[[Signed], Signed]
    command: Callable[[Signed], Sequence[Signed]] = lambda _: ()

    def ask(self, sighting: Signed) -> Signed:
        """The permit for a sighting."""
        return self.answer(sighting)

    def report(self, kind: Kind, message: Signed) -> None:
        """An outcome or a door state."""
        self.note(kind, message)

    def replay(self, entries: Sequence[Signed]) -> Signed:
        """The receipt for journal entries."""
        return self.take(entries)

    def commands(self, request: Signed) -> Sequence[Signed]:
        """Permits given by hand."""
        return self.command(request)

    def fetch(self, request: Signed) -> Signed:
        """Policy or time."""
        return self.give(request)
