"""docs/reference/rights.md."""

from doorward.app.reference.markdown import code, ended, headed, table
from doorward.core.permissions import ALLOWS, Permission
from doorward.people.rules.roles import ROLES

LEAD = (
    "Each is held at one site or at every site, by a role given to an account or by an API key. "
    "The administrator holds every right. [routes.md](routes.md) says which route needs which."
)


def page() -> str:
    """Every right: what it allows and which roles hold it."""
    rows = [(code(right), ALLOWS[right], _roles(right)) for right in Permission]
    roles = [
        (code(role), ", ".join(code(right) for right in Permission if right in rights))
        for role, rights in ROLES.items()
        if rights != frozenset(Permission)
    ]
    return ended(
        [
            *headed("Rights", LEAD),
            *table(["right", "allows to", "held by (besides the administrator)"], rows),
            "",
            "## Roles",
            "",
            *table(["role", "rights"], roles),
        ]
    )


def _roles(right: Permission) -> str:
    everything = frozenset(Permission)
    return ", ".join(role for role, rights in ROLES.items() if right in rights and rights != everything)
