"""Which decisions somebody should look at."""

from doorward.gates.model import AlarmKind, Direction, Open, Opening, Refusal, Seen, Situation, Verdict

EMERGENCY_OPENINGS = frozenset({Opening.FIRE, Opening.EVACUATION, Opening.UNLOCKED})
# Who leaves without a grant, or late, is no event: exits are seldom granted to anybody.
WORTH_A_LOOK_LEAVING = frozenset(
    {
        Refusal.DENY_LISTED,
        Refusal.IDENTITIES_DIFFER,
        Refusal.LOCKDOWN,
        Refusal.PASSED_BACK,
        Refusal.SUSPENDED,
    }
)


def alarms_for(seen: Seen, situation: Situation, verdict: Verdict) -> tuple[AlarmKind, ...]:
    """Duress always; a soft rule that was broken; somebody unknown who was let out."""
    found: list[AlarmKind] = []
    if seen.duress:
        found.append(AlarmKind.DURESS)
    if isinstance(verdict, Open) and verdict.because not in EMERGENCY_OPENINGS:
        leaving = situation.gate.direction is Direction.OUT
        if leaving and not seen.subjects:
            found.append(AlarmKind.EXIT_UNKNOWN)
        elif set(verdict.noted) & (WORTH_A_LOOK_LEAVING if leaving else frozenset(Refusal)):
            found.append(AlarmKind.RULE_BROKEN)
    return tuple(found)
