"""Which proofs a gate asks for, and whether those given suffice."""

from collections.abc import Set as AbstractSet

from doorward.core.errors import Invalid
from doorward.gates.model import Factor, FactorRule, Finding, Refusal, Seen, Situation

RULE = "factors"


def parse_factors(text: str) -> FactorRule:
    """Read `card + face | card + pin`: `|` or OR between alternatives, `+` or AND within one."""
    words = text.lower().replace("+", " and ").replace("|", " or ").split()
    alternatives = [part.split(" and ") for part in " ".join(words).split(" or ")]
    try:
        rule = tuple(tuple(Factor(name.strip()) for name in part) for part in alternatives)
    except ValueError as error:
        raise Invalid(
            f"A gate asks for {', '.join(Factor)} joined by + and |, such as: card + face | qr."
        ) from error
    return require_identifying(rule)


def write_factors(rule: FactorRule) -> str:
    """The text that `parse_factors` reads."""
    return " | ".join(" + ".join(part) for part in rule)


def require_identifying(rule: FactorRule) -> FactorRule:
    """The rule itself; `Invalid` if an alternative is empty or a PIN stands alone, which names nobody."""
    if not rule or any(not set(part) - {Factor.PIN} for part in rule):
        raise Invalid("Each alternative needs a face, card, QR code or plate; a PIN alone names nobody.")
    return rule


def asked_for(rule: FactorRule) -> frozenset[Factor]:
    """Every factor that some alternative mentions."""
    return frozenset(factor for part in rule for factor in part)


def suffices(part: tuple[Factor, ...], proven: AbstractSet[Factor], *, live: bool | None) -> bool:
    """Whether all factors of an alternative are proven; a face alone needs a passed liveness challenge."""
    return proven >= set(part) and (set(part) != {Factor.FACE} or live is True)


def alternative(
    rule: FactorRule, proven: AbstractSet[Factor], *, live: bool | None
) -> tuple[Factor, ...] | None:
    """The first alternative that suffices: what a gate opens on, and whose grants count."""
    return next((part for part in rule if suffices(part, proven, live=live)), None)


def check_factors(seen: Seen, situation: Situation) -> Finding:
    """Pass if some alternative suffices."""
    rule = situation.gate.factors
    met = alternative(rule, seen.proven, live=seen.liveness_passed)
    if met is not None:
        return Finding(RULE, True, f"proven: {write_factors((met,))}")
    if Factor.FACE in seen.proven and (Factor.FACE,) in rule:
        return Finding(RULE, False, "a face alone needs its liveness challenge", Refusal.LIVENESS_NEEDED)
    return Finding(RULE, False, f"needs {write_factors(rule)}", seen.doubt or Refusal.FACTORS_MISSING)
