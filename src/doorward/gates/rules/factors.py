"""Which proofs a gate asks for, and whether those given suffice."""

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


def check_factors(seen: Seen, situation: Situation) -> Finding:
    """Pass if all factors of one alternative are proven; a face alone needs a passed liveness challenge."""
    met = [part for part in situation.gate.factors if seen.proven.issuperset(part)]
    if not met:
        refusal = seen.doubt or Refusal.FACTORS_MISSING
        return Finding(RULE, False, f"needs {write_factors(situation.gate.factors)}", refusal)
    best = max(met, key=lambda part: len(set(part)))
    if set(best) == {Factor.FACE} and seen.liveness_passed is not True:
        return Finding(RULE, False, "a face alone needs its liveness challenge", Refusal.LIVENESS_NEEDED)
    return Finding(RULE, True, f"proven: {write_factors((best,))}")
