"""Keys for programs and agents: make, list, revoke."""

import secrets
from collections.abc import Iterable, Mapping
from datetime import datetime

from doorward.audit.service import record
from doorward.core.encoding import to_text
from doorward.core.errors import Denied, Invalid, NotFound
from doorward.core.ids import new_id
from doorward.core.permissions import Permission
from doorward.people.model.api_keys import ApiKey, ApiKeyView
from doorward.people.rules import api_keys as rules
from doorward.people.rules.roles import NEVER_FOR_PROGRAMS, covers
from doorward.people.service.authentication import digest_of, digest_place
from doorward.people.store import api_keys as store
from doorward.platform.db import Unit
from doorward.platform.paging import PageRequest
from doorward.vault.model import Place, Purpose
from doorward.vault.service import Vault

SECRET_BYTES = 32
KEY_PREFIX = "key_"
LONGEST_LABEL = 100


def make_api_key(
    unit: Unit,
    vault: Vault,
    *,
    label: str,
    rights: Mapping[str, frozenset[Permission]],
    expires_at: datetime,
    networks: Iterable[str] = (),
) -> tuple[str, str]:
    """The key's id and its token `dw_<id>_<secret>`, which is shown this once; kept is its sealed hash.

    `Denied` for any right that the maker does not hold, or that no program may hold.
    """
    if not any(rights.values()) or not 1 <= len(label.strip()) <= LONGEST_LABEL:
        raise Invalid("An API key needs a label and at least one right.")
    if not covers(unit.actor, rights) or any(held & NEVER_FOR_PROGRAMS for held in rights.values()):
        raise Denied("A key never holds a right that its maker lacks, nor the right to approve.")
    if unit.actor.id.startswith(KEY_PREFIX) and not rules.is_agents(rights):
        raise Denied("A key holds what its maker holds today, and a key is nobody: let a person make it.")
    rules.require_life(expires_at, unit.now)
    key_id, secret = new_id("key"), to_text(secrets.token_bytes(SECRET_BYTES))
    key = ApiKey(
        key_id,
        unit.actor.id,
        vault.seal(Purpose.STAFF, label_place(key_id), label.strip().encode()),
        vault.seal(Purpose.STAFF, digest_place(key_id), digest_of(secret)),
        {site: held for site, held in rights.items() if held},
        rules.require_networks(networks),
        unit.now,
        expires_at,
        used_at=None,
        revoked=False,
    )
    store.add_api_key(unit.rows, key)
    record(unit, "api_key.made", key=key_id, rights=_plain(key.rights))
    return key_id, f"{rules.PREFIX}_{key_id.removeprefix('key_')}_{secret}"


def make_agent_key(unit: Unit, vault: Vault, *, label: str, expires_at: datetime) -> tuple[str, str]:
    """A key for the agent of a gate at this site: it may report sightings and nothing else."""
    rights = {unit.site_id: rules.AGENT_RIGHTS}
    return make_api_key(unit, vault, label=label, rights=rights, expires_at=expires_at)


def list_api_keys(unit: Unit, vault: Vault, wanted: PageRequest) -> list[ApiKeyView]:
    """Keys that the actor made, or of sites where he manages staff, in order of id, one more than wanted.

    Their labels are what somebody wrote: the look is recorded.
    """
    found = store.list_api_keys(unit.rows, after=wanted.after or "")
    shown = [key for key in found if _may_manage(unit, key)][: wanted.limit + 1]
    record(unit, "api_keys.read", keys=min(len(shown), wanted.limit))
    return [ApiKeyView(key, _label(vault, key)) for key in shown]


def revoke_api_key(unit: Unit, key_id: str) -> None:
    """End a key at once; `NotFound` for one that the actor may not know about."""
    key = store.find_api_key(unit.rows, key_id)
    if key is None or not _may_manage(unit, key):
        raise NotFound("There is no such API key here.")
    store.change_api_key(unit.rows, key_id, revoked=True)
    record(unit, "api_key.revoked", key=key_id)


def label_place(key_id: str) -> Place:
    """Where a key's label lies."""
    return Place("staff_api_keys", "sealed_label", key_id)


def _may_manage(unit: Unit, key: ApiKey) -> bool:
    return key.maker_id == unit.actor.id or all(
        unit.actor.may(Permission.STAFF_MANAGE, site_id) for site_id in key.rights
    )


def _label(vault: Vault, key: ApiKey) -> str:
    return vault.unseal(Purpose.STAFF, label_place(key.id), key.sealed_label).decode()


def _plain(rights: Mapping[str, frozenset[Permission]]) -> dict[str, list[str]]:
    return {site: sorted(held) for site, held in rights.items()}
