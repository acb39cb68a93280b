"""What stood before the gate, and what became of it."""

from collections.abc import Collection
from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np

from doorward.core.wire import Credential, FaceEvidence, PlateEvidence, place_in, seal_face
from doorward.vision.model import FaceTemplate

LONGEST_SECONDS: Final = 30.0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FaceSeen:
    """One face followed over several frames. Its template leaves this process sealed, or not at all."""

    template: FaceTemplate = field(repr=False)
    frames: int
    quality: float
    liveness_passed: bool | None = None

    def sealed(self, face_key: bytes, *, agent_id: str, gate_id: str, sequence: int) -> FaceEvidence:
        """What the server is shown: bound to this one sighting, and readable by the gallery's key holder."""
        raw = np.ascontiguousarray(self.template, "<f4").tobytes()
        key_id, sealed = seal_face(face_key, raw, place_in(agent_id, gate_id, sequence))
        return FaceEvidence(
            key_id=key_id,
            sealed=sealed,
            frames=self.frames,
            quality=self.quality,
            liveness_passed=self.liveness_passed,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """One person or car as far as it was seen; what identifies it is kept out of `repr`.

    `problem` says in plain words why nothing usable was seen, if so; then nothing is asked. `at` is the
    monotonic second at which the newest part was captured. `waits` says that somebody is being looked at, and
    nothing is known yet.
    """

    face: FaceSeen | None = field(default=None, repr=False)
    plate: PlateEvidence | None = field(default=None, repr=False)
    card: str | None = field(default=None, repr=False)
    qr: str | None = field(default=None, repr=False)
    pin: str | None = field(default=None, repr=False)
    frames: int = 0
    problem: str | None = None
    at: float | None = None
    waits: bool = False

    @property
    def kinds(self) -> tuple[str, ...]:
        """What was seen: `face`, `plate`, `card`, `qr`, `pin`."""
        parts = ("face", "plate", "card", "qr", "pin")
        return tuple(name for name in parts if getattr(self, name) is not None)

    def with_part(self, other: "Seen") -> "Seen":
        """Both together; of two of a kind the later one counts."""
        parts = {name: getattr(other, name) for name in other.kinds}
        problem = None if other.kinds else other.problem or self.problem
        at = max((one for one in (self.at, other.at) if one is not None), default=None)
        return replace(self, **parts, frames=max(self.frames, other.frames), problem=problem, at=at)

    def contradicts(self, other: "Seen") -> bool:
        """Whether both show a card, a code or a PIN, and not the same: two people, or two tries."""
        pairs = ((self.card, other.card), (self.qr, other.qr), (self.pin, other.pin))
        return any(one is not None and two is not None and one != two for one, two in pairs)

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
    """Puts together what belongs to one passage: a card and the face of whoever holds it.

    `expects` are alternatives; a passage is complete once one of them is, and over after `seconds` otherwise.
    While somebody is being looked at (a challenge takes its time) it waits, for `longest` seconds at most.
    """

    def __init__(
        self, expects: Collection[frozenset[str]], *, seconds: float, longest: float = LONGEST_SECONDS
    ) -> None:
        self._expects = tuple(expects)
        self._seconds = seconds
        self._longest = longest
        self._seen: Seen | None = None
        self._began = self._until = 0.0

    def add(self, part: Seen, now: float) -> Seen | None:
        """Take in a part seen at a monotonic second; whatever an older one left unfinished comes back.

        A second card ends the passage of the first: neither replaces the other in silence.
        """
        over = self.due(now)
        if self._seen is not None and self._seen.contradicts(part):
            over = self.flush()
        if self._seen is None:
            self._seen, self._began, self._until = part, now, now + self._seconds
        else:
            self._seen = self._seen.with_part(part)
        return over

    def wait(self, now: float) -> None:
        """Somebody is being looked at just now."""
        if self._seen is not None and now < self._until:
            self._until = min(self._began + self._longest, max(self._until, now + self._seconds))

    def due(self, now: float) -> Seen | None:
        """The passage, once all that is expected was seen or the time is up."""
        if self._seen is None:
            return None
        kinds = set(self._seen.kinds)
        if not any(alternative <= kinds for alternative in self._expects) and now < self._until:
            return None
        return self.flush()

    @property
    def lacks(self) -> frozenset[str]:
        """What the begun passage still waits for, by the alternative that is nearest to complete."""
        if self._seen is None:
            return frozenset()
        kinds = set(self._seen.kinds)
        return min((one - kinds for one in self._expects), key=len, default=frozenset())

    def flush(self) -> Seen | None:
        """Whatever there is."""
        seen, self._seen = self._seen, None
        return seen
