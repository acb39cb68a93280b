"""Frame counts of a source over all its connections."""

from dataclasses import dataclass

from doorward.vision.sources.frame import SourceStatistics


@dataclass(slots=True)
class Tally:
    """Adds what earlier decoders counted, what the present one counts and what happened outside them."""

    delivered: int = 0
    overflowed: int = 0
    reconnects: int = 0
    earlier: tuple[int, int, int] = (0, 0, 0)
    present: tuple[int, int, int] = (0, 0, 0)

    def reconnect(self) -> None:
        """Start counting a new decoder."""
        decoded, late, unreadable = self.present
        self.earlier = (self.earlier[0] + decoded, self.earlier[1] + late, self.earlier[2] + unreadable)
        self.present = (0, 0, 0)
        self.reconnects += 1

    def statistics(self) -> SourceStatistics:
        """All of it as what users see."""
        decoded, late, unreadable = (a + b for a, b in zip(self.earlier, self.present, strict=True))
        return SourceStatistics(
            decoded=decoded,
            delivered=self.delivered,
            dropped=late + self.overflowed,
            unreadable=unreadable,
            reconnects=self.reconnects,
        )
