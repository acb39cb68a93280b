"""Everything that lies under keys, of every room: how it moves to a new key, and how much still has to."""

from doorward.people.service import lookup_counters, lookup_movers
from doorward.people.service.moving import staff_counters, staff_movers
from doorward.vault.service import Keepers, Vault, vault_counters, vault_movers


def keepers_of(vault: Vault) -> Keepers:
    """Movers and counters by key."""
    return Keepers(
        vault_movers(vault) | staff_movers(vault) | lookup_movers(vault),
        vault_counters(vault) | staff_counters(vault) | lookup_counters(vault),
    )
