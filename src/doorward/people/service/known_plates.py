"""The plates known by heart, asked in time that does not grow with their number."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import combinations, product

from doorward.vision.plates.known import CONFUSIONS, MOST_EXCHANGED, Known, match

_ALIKE: dict[str, str] = {
    character: "".join(
        sorted(other for pair in CONFUSIONS if character in pair for other in pair - {character})
    )
    for character in {one for pair in CONFUSIONS for one in pair}
}


class KnownPlates:
    """One site's plates by vehicle and vehicles by plate."""

    def __init__(self) -> None:
        self._plates: dict[str, str] = {}
        self._owners: dict[str, str] = {}

    def put(self, vehicle_id: str, plate: str) -> None:
        """Know a vehicle by this plate; a former one is replaced."""
        self.drop(vehicle_id)
        self._plates[vehicle_id] = plate
        self._owners[plate] = vehicle_id

    def drop(self, vehicle_id: str) -> None:
        """Know a vehicle no more."""
        plate = self._plates.pop(vehicle_id, None)
        if plate is not None and self._owners.get(plate) == vehicle_id:
            del self._owners[plate]

    def items(self) -> list[tuple[str, str]]:
        """Each vehicle with its plate."""
        return list(self._plates.items())

    def match(self, candidates: Sequence[tuple[str, float]]) -> tuple[str | None, Known]:
        """The vehicle behind a read, or None, and how that was weighed."""
        near = {text for read, _ in candidates for text in look_alikes(read) if text in self._owners}
        found = match(candidates, near)
        return (self._owners.get(found.text) if found.text is not None else None), found

    def __len__(self) -> int:
        return len(self._plates)


def look_alikes(read: str) -> Iterator[str]:
    """A text and every text that readers may have made it from: the only plates that can weigh anything."""
    yield read
    places = [place for place, character in enumerate(read) if character in _ALIKE]
    for count in range(1, MOST_EXCHANGED + 1):
        for chosen in combinations(places, count):
            yield from _exchanged(read, chosen)


def _exchanged(read: str, places: Iterable[int]) -> Iterator[str]:
    at = tuple(places)
    for others in product(*(_ALIKE[read[place]] for place in at)):
        text = list(read)
        for place, other in zip(at, others, strict=True):
            text[place] = other
        yield "".join(text)
