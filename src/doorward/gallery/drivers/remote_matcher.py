"""A matcher on another machine: it gets the blocks that it lacks, and must answer for all of them."""

from collections.abc import Callable, Collection, Sequence
from http import HTTPStatus
from typing import Final, TypeVar

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from doorward.core.clock import Clock
from doorward.core.errors import Invalid, NotFound, Tampered, Unavailable
from doorward.gallery.drivers.signed_line import FarSide, SignedLine
from doorward.gallery.model import Wanted
from doorward.gallery.ports import Blocks
from doorward.matching import messages
from doorward.matching.matcher import Answer
from doorward.matching.messages import MOST_SHELVES, Kind, WantedShelf
from doorward.matching.queries import Query

T = TypeVar("T")

LARGEST_FAULT: Final = 1024
SAID: Final = {
    "busy": "The matcher has more searches than it takes: try again, or give it more machines.",
    "disk": "The matcher cannot read or write its blocks: check its disk.",
    "full": "The matcher has no room for more blocks: raise most_blocks in its matcher.toml.",
    "stale": "The matcher takes this request for an old one: set the clocks of both machines by NTP.",
    "unknown": "The matcher does not know this server: put `doorward keys public matcher` into its deciders, "
    "and its own public key into matcher.public_key.",
    "workers": "A worker of the matcher does not answer, so nobody was searched: see to its machines.",
}


class RemoteMatcher:
    """Sends blocks that the matcher lacks, then asks again, once. Safe from any thread."""

    def __init__(
        self, blocks: Blocks, place: FarSide, signing: Callable[[], Ed25519PrivateKey], clock: Clock
    ) -> None:
        self._blocks = blocks
        self._line = SignedLine(place, signing, clock, name="matcher", said=SAID)

    def answer(self, query: Query, shelves: Sequence[Wanted]) -> list[Answer]:
        """One answer a shelf."""
        wanted = [WantedShelf(one.shelf_id, one.digests) for one in shelves]
        answers: list[Answer] = []
        for start in range(0, len(wanted), MOST_SHELVES):
            answers += self._search(query, wanted[start : start + MOST_SHELVES])
        return answers

    def keep(self, digests: Collection[str]) -> None:
        """Have every other block deleted there."""
        status, body = self._line.asked(
            "keep", messages.encode_list(Kind.KEEP, sorted(digests)), LARGEST_FAULT
        )
        if status != HTTPStatus.OK:
            raise self._line.refusal(body)
        _read(lambda: messages.decode_done(body))

    def close(self) -> None:
        """Let go of the connections."""
        self._line.close()

    def _search(self, query: Query, shelves: Sequence[WantedShelf]) -> list[Answer]:
        message = messages.encode_search(query, shelves)
        longest = max(messages.largest_answer(shelves), messages.LARGEST_LIST)
        for is_last in (False, True):
            status, body = self._line.asked("search", message, longest)
            if status == HTTPStatus.OK:
                return _read(lambda: messages.decode_answers(body, shelves))  # noqa: B023 (called at once)
            if status != HTTPStatus.NOT_FOUND or is_last:
                break
            self._push(_read(lambda: messages.decode_list(body, Kind.LACKS)), shelves)  # noqa: B023
        raise self._line.refusal(body)

    def _push(self, missing: Sequence[str], shelves: Sequence[WantedShelf]) -> None:
        named = {digest for shelf in shelves for digest in shelf.digests}
        for digest in missing:
            if digest not in named:
                raise Tampered("The matcher asks for a block that no query named.")
            try:
                cells = self._blocks.get(digest)
            except (NotFound, Tampered) as error:
                raise Unavailable("A block that is searched is damaged here: it will be mended.") from error
            status, body = self._line.asked("put", messages.encode_put(digest, cells), LARGEST_FAULT)
            if status != HTTPStatus.OK:
                raise self._line.refusal(body)
            _read(lambda: messages.decode_done(body))  # noqa: B023


def _read(decode: Callable[[], T]) -> T:
    try:
        return decode()
    except Invalid as error:
        raise Tampered("The matcher's answer is signed, and is none.") from error
