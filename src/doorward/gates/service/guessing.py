"""Faces tried one after the other: strangers' at a gate that looks up, and those shown for one person."""

from dataclasses import dataclass
from datetime import timedelta

from doorward.gates.model import AlarmKind, Direction, Gate, Guesses
from doorward.gates.rules.guessing import FREE, LONGEST_AT_A_GATE, LONGEST_FOR_A_PERSON, must_wait
from doorward.gates.service.alarms import raise_once
from doorward.gates.store import guesses
from doorward.platform.db import Unit


@dataclass(frozen=True, slots=True)
class Tries:
    """The faces that failed in a row: for one person, or those of strangers at a gate that looks up.

    For one person fails a face that does not fit their card, and theirs if it did not pass the challenge.
    Ways out count nothing and wait for nothing.
    """

    unit: Unit
    gate: Gate
    person_id: str | None
    held: Guesses | None

    @classmethod
    def at(cls, unit: Unit, gate: Gate, person_id: str | None) -> "Tries":
        """What is known of them."""
        if gate.direction is Direction.OUT:
            return cls(unit, gate, person_id, None)
        found = guesses.find_guesses(unit.rows, unit.site_id, person_id or gate.id)
        return cls(unit, gate, person_id, found)

    @property
    def must_wait(self) -> bool:
        """Whether no face is looked at just now."""
        return must_wait(self.held, self.unit.now, self._longest)

    def note(self, *, fitted: bool) -> None:
        """Keep how the face did; several failures in a row alarm."""
        unit, about = self.unit, self.person_id or self.gate.id
        if self.gate.direction is Direction.OUT:
            return
        if fitted:
            if self.held is not None:
                guesses.forget_guesses(unit.rows, about, unit.site_id)
            return
        failures = (self.held.failures if self.held else 0) + 1
        guesses.set_guesses(
            unit.rows, unit.site_id, Guesses(about=about, failures=failures, last_at=unit.now)
        )
        if failures >= FREE:
            detail = "for one person" if self.person_id else "looked up among everybody"
            raise_once(unit, AlarmKind.FACE_GUESSED, self.gate.id, detail=detail, subject_id=self.person_id)

    @property
    def _longest(self) -> timedelta:
        return LONGEST_FOR_A_PERSON if self.person_id else LONGEST_AT_A_GATE
