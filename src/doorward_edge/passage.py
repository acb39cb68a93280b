"""What stood before the gate, and what became of it."""

from dataclasses import dataclass, field, replace

from doorward.core.wire import Credential, FaceEvidence, PlateEvidence


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """One person or car as far as it was seen; what identifies it is kept out of `repr`.

    `problem` says in plain words why nothing usable was seen, if so; then nothing is asked.
    """

    face: FaceEvidence | None = field(default=None, repr=False)
    plate: PlateEvidence | None = field(default=None, repr=False)
    card: str | None = field(default=None, repr=False)
    qr: str | None = field(default=None, repr=False)
    pin: str | None = field(default=None, repr=False)
    frames: int = 0
    problem: str | None = None

    @property
    def kinds(self) -> tuple[str, ...]:
        """What was seen: `face`, `plate`, `card`, `qr`, `pin`."""
        parts = ("face", "plate", "card", "qr", "pin")
        return tuple(name for name in parts if getattr(self, name) is not None)

    def with_part(self, other: "Seen") -> "Seen":
        """Both together; of two of a kind the later one counts."""
        parts = {name: getattr(other, name) for name in other.kinds}
        problem = None if other.kinds else other.problem or self.problem
        return replace(self, **parts, frames=max(self.frames, other.frames), problem=problem)

    def credentials(self, *, least_frames: int, least_confidence: float) -> dict[Credential, str]:
        """What a decision without the server may use; a plate only if it was read well, and often."""
        shown = {Credential.CARD: self.card, Credential.QR: self.qr}
        plate = self.plate
        if (
            plate
            and plate.candidates
            and plate.frames >= least_frames
            and plate.minimum_character_confidence >= least_confidence
        ):
            shown[Credential.PLATE] = plate.candidates[0][0]
        return {kind: value for kind, value in shown.items() if value is not None}


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """One passage: what was seen, what was decided by whom, and what the barrier did.

    `because` is the server's or the agent's reason for a refusal; `moved` is None where nothing was to move.
    """

    seen: Seen
    opens: bool = False
    because: str | None = None
    sequence: int | None = None
    permit_id: str | None = None
    offline: bool = False
    moved: bool | None = None
    answered_ms: float = 0.0
    total_ms: float = 0.0


class Gathering:
    """Puts together what belongs to one passage: a card and the face of whoever holds it."""

    def __init__(self, expects: frozenset[str], *, seconds: float) -> None:
        self._expects = expects
        self._seconds = seconds
        self._seen: Seen | None = None
        self._until = 0.0

    def add(self, part: Seen, now: float) -> Seen | None:
        """Take in a part seen at a monotonic second; whatever an older one left unfinished comes back."""
        over = self.due(now)
        if self._seen is None:
            self._seen, self._until = part, now + self._seconds
        else:
            self._seen = self._seen.with_part(part)
        return over

    def due(self, now: float) -> Seen | None:
        """The passage, once all that is expected was seen or the time is up."""
        if self._seen is None:
            return None
        if not (self._expects <= set(self._seen.kinds) or now >= self._until):
            return None
        return self.flush()

    def flush(self) -> Seen | None:
        """Whatever there is."""
        seen, self._seen = self._seen, None
        return seen
