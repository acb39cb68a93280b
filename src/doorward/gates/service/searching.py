"""To look faces up among everybody, instead of verifying a claim, takes two people."""

from doorward.gates.model import Gate, Identification, Plan, SiteRules
from doorward.people.model.approvals import Action
from doorward.people.service.approvals import require_approval
from doorward.platform.db import Unit

SITE = "site"


def require_second_for_search(
    unit: Unit, plan: Plan, wanted: SiteRules | Gate, *, approval_id: str | None
) -> None:
    """`Denied` if this begins to look faces up 1:n and nobody approved (`target`: `site` or the gate)."""
    before, after = _before(plan, wanted), wanted.identification
    if isinstance(wanted, Gate):
        after = after or plan.rules.identification
    if after is Identification.ONE_TO_MANY and before is not Identification.ONE_TO_MANY:
        target = wanted.id if isinstance(wanted, Gate) else SITE
        require_approval(unit, approval_id, Action.FACE_SEARCH, {"target": target})


def _before(plan: Plan, wanted: SiteRules | Gate) -> Identification:
    known = plan.gates.get(wanted.id) if isinstance(wanted, Gate) else None
    return (known.identification if known else None) or plan.rules.identification
