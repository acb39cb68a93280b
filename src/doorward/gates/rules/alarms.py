"""Which decisions somebody should look at."""

from doorward.gates.model import AlarmKind, Direction, Open, Opening, Refusal, Seen, Situation, Verdict

EMERGENCY_OPENINGS = frozenset({Opening.FIRE, Opening.EVACUATION, Opening.UNLOCKED})


def alarms_for(seen: Seen, situation: Situation, verdict: Verdict) -> tuple[AlarmKind, ...]:
    """Duress always; a soft rule that was broken; somebody unknown who was let out."""
    found: list[AlarmKind] = []
    if seen.duress:
        found.append(AlarmKind.DURESS)
    if isinstance(verdict, Open) and verdict.because not in EMERGENCY_OPENINGS:
        leaving = situation.gate.direction is Direction.OUT
        if leaving and not seen.subjects:
            found.append(AlarmKind.EXIT_UNKNOWN)
        elif set(verdict.noted) - {Refusal.SECOND_PERSON_NEEDED}:
            found.append(AlarmKind.RULE_BROKEN)
    return tuple(found)
