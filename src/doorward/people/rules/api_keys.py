"""What an API key may be given and what it may do now."""

import re
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from ipaddress import ip_address, ip_network

from doorward.core.errors import Invalid
from doorward.core.permissions import Actor, Permission
from doorward.people.model.api_keys import ApiKey
from doorward.people.rules.roles import NEVER_FOR_PROGRAMS

LONGEST_LIFE = timedelta(days=800)
USED_COARSELY = timedelta(minutes=10)
PREFIX = "dw"
KEY_FORM = re.compile(PREFIX + r"_[a-z0-9]+_[A-Za-z0-9_-]{20}")
AGENT_RIGHTS = frozenset({Permission.GATES_SIGHT})


def require_life(expires_at: datetime, now: datetime) -> None:
    """`Invalid` unless the key ends in the future and within 800 days."""
    if not now < expires_at <= now + LONGEST_LIFE:
        raise Invalid(f"An API key must expire within {LONGEST_LIFE.days} days from now.")


def require_networks(networks: Iterable[str]) -> tuple[str, ...]:
    """The networks in one form; `Invalid` names the form to use."""
    try:
        return tuple(sorted(str(ip_network(network)) for network in networks))
    except ValueError as error:
        raise Invalid("Source addresses are networks such as 10.1.0.0/16 or 2001:db8::/32.") from error


def may_come_from(networks: tuple[str, ...], address: str | None) -> bool:
    """Whether a caller at this address may use the key; no list means everywhere."""
    if not networks:
        return True
    try:
        peer = ip_address(address or "")
    except ValueError:
        return False
    mapped = getattr(peer, "ipv4_mapped", None)
    return any((mapped or peer) in ip_network(network) for network in networks)


def is_usable(key: ApiKey, now: datetime, address: str | None) -> bool:
    """Whether the key opens anything at all now from there."""
    if key.revoked or now >= key.expires_at:
        return False
    return may_come_from(key.networks, address)


def is_agents(rights: Mapping[str, frozenset[Permission]]) -> bool:
    """Whether the key only reports sightings; it outlives its maker, or gates would stop."""
    return all(held == AGENT_RIGHTS for held in rights.values())


def effective_rights(key: ApiKey, maker: Actor) -> dict[str, frozenset[Permission]]:
    """What the key may do today: what it was given and its maker still holds."""
    if is_agents(key.rights):
        return dict(key.rights)
    held = {
        site: frozenset(right for right in rights if maker.may(right, site)) - NEVER_FOR_PROGRAMS
        for site, rights in key.rights.items()
    }
    return {site: rights for site, rights in held.items() if rights}


def is_in_address(query: str) -> bool:
    """Whether a key stands in an address, where logs, histories and referrers keep it."""
    return KEY_FORM.search(query) is not None


def parse_token(token: str) -> tuple[str, str] | None:
    """The key's id and secret in `dw_<id>_<secret>`, or None if it is not of that form."""
    prefix, _, rest = token.partition("_")
    number, _, secret = rest.partition("_")
    if prefix != PREFIX or not number.isalnum() or not secret:
        return None
    return f"key_{number}", secret
