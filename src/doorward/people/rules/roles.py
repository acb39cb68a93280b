"""What each role may do, in one table, and who may give what to whom."""

from collections.abc import Iterable, Mapping

from doorward.core.permissions import EVERY_RIGHT, EVERY_SITE, Actor, Permission
from doorward.people.model.roles import Assignment, Role

P = Permission

ROLES: dict[Role, frozenset[Permission]] = {
    Role.ADMINISTRATOR: EVERY_RIGHT,
    Role.AUDITOR: frozenset({P.AUDIT_READ, P.GATES_READ}),
    Role.DATA_PROTECTION: frozenset({P.AUDIT_READ, P.PEOPLE_READ, P.PEOPLE_ERASE, P.STAFF_APPROVE}),
    Role.FACILITY: frozenset(
        {
            P.GATES_COMMAND,
            P.GATES_EMERGENCY,
            P.GATES_GRANT,
            P.GATES_MANAGE,
            P.GATES_PASSAGES,
            P.GATES_READ,
            P.PEOPLE_READ,
            P.VEHICLES_READ,
        }
    ),
    Role.FLEET: frozenset({P.GATES_READ, P.VEHICLES_MANAGE, P.VEHICLES_READ}),
    Role.GUARD: frozenset(
        {
            P.GATES_COMMAND,
            P.GATES_EMERGENCY,
            P.GATES_PASSAGES,
            P.GATES_READ,
            P.PEOPLE_PHOTOS,
            P.PEOPLE_READ,
            P.PEOPLE_VISITORS,
            P.VEHICLES_READ,
        }
    ),
    Role.INTEGRATOR: frozenset({P.GATES_MANAGE, P.GATES_READ, P.GATES_SIGHT}),
    Role.KEY_KEEPER: frozenset({P.AUDIT_EXPIRE, P.AUDIT_READ, P.STAFF_APPROVE, P.VAULT_ROTATE}),
    Role.PERSONNEL: frozenset({P.PEOPLE_ENROL, P.PEOPLE_MANAGE, P.PEOPLE_PHOTOS, P.PEOPLE_READ}),
    Role.RECEPTION: frozenset({P.GATES_READ, P.PEOPLE_READ, P.PEOPLE_VISITORS}),
}

# A program never approves: four eyes are eyes.
NEVER_FOR_PROGRAMS = frozenset({P.STAFF_APPROVE})


def rights_of(assignments: Iterable[Assignment]) -> dict[str, frozenset[Permission]]:
    """The rights that these assignments add up to, by site."""
    rights: dict[str, frozenset[Permission]] = {}
    for held in assignments:
        rights[held.site_id] = rights.get(held.site_id, frozenset()) | ROLES[held.role]
    return rights


def covers(actor: Actor, rights: Mapping[str, frozenset[Permission]]) -> bool:
    """Whether the actor holds every one of these rights where they are held."""
    return all(actor.may(right, site_id) for site_id, wanted in rights.items() for right in wanted)


def may_give(actor: Actor, role: Role, site_id: str) -> bool:
    """Whether the actor manages staff there and holds every right of the role there himself."""
    return actor.may(Permission.STAFF_MANAGE, site_id) and covers(actor, {site_id: ROLES[role]})


def may_manage(actor: Actor, assignments: Iterable[Assignment]) -> bool:
    """Whether the actor manages staff wherever the account holds something, and holds as much himself.

    Whoever resets an account could become it: so nobody manages an account mightier than his own.
    """
    rights = rights_of(assignments)
    if not rights:
        return actor.may(Permission.STAFF_MANAGE, EVERY_SITE)
    return all(actor.may(Permission.STAFF_MANAGE, site_id) for site_id in rights) and covers(actor, rights)


def is_approver(assignments: Iterable[Assignment]) -> bool:
    """Whether any of these lets its holder be the second person: whoever makes approvers alone needs none."""
    return any(Permission.STAFF_APPROVE in ROLES[held.role] for held in assignments)


def leaves_nobody(administrators: Iterable[str], leaving: str) -> bool:
    """Whether no administrator of every site is left once this account stops being one."""
    return not set(administrators) - {leaving}


def rules_every_site(held: Assignment) -> bool:
    """Whether this assignment is the one of which the last may never go."""
    return held.role is Role.ADMINISTRATOR and held.site_id == EVERY_SITE
