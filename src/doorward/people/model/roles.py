"""Named roles and where somebody holds them."""

from dataclasses import dataclass
from enum import StrEnum


class Role(StrEnum):
    """What a staff member is at a site; what each may do is one table in `rules.roles`."""

    ADMINISTRATOR = "administrator"
    AUDITOR = "auditor"
    DATA_PROTECTION = "data-protection-officer"
    FACILITY = "facility-manager"
    FLEET = "fleet-manager"
    GUARD = "guard"
    INTEGRATOR = "integrator"
    KEY_KEEPER = "key-keeper"
    PERSONNEL = "personnel"
    RECEPTION = "reception"


@dataclass(frozen=True, slots=True)
class Assignment:
    """One role of one account at one site, or at every site."""

    account_id: str
    site_id: str
    role: Role
