"""Who counts as one sender on the network."""

import ipaddress
from collections.abc import Collection, Sequence

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

ONE_NETWORK = 64  # whoever has one IPv6 address has all of its /64
# Wider than this is somebody's whole network, of which anyone could speak for anybody.
WIDEST = {4: 16, 6: 48}


def sender_of(address: str | None) -> str:
    """The address to count by: IPv4 as it is, IPv6 by its network; what is no address stays as it is."""
    known = _address((address or "").partition("%")[0])
    if known is None:
        return address or "unknown"
    if isinstance(known, ipaddress.IPv4Address):
        return str(known)
    return str(ipaddress.ip_network((known, ONE_NETWORK), strict=False))


def narrow_networks(text: str) -> tuple[Network, ...]:
    """Networks between commas; `ValueError` for what is none, or too wide to hold nothing but proxies."""
    networks = tuple(ipaddress.ip_network(part.strip()) for part in text.split(",") if part.strip())
    if any(network.prefixlen < WIDEST[network.version] for network in networks):
        raise ValueError("whoever is listed may speak for any address: name the proxies alone, at most a /16")
    return networks


def sender_behind(peer: str, forwarded: Sequence[str], trusted: Collection[Network]) -> str:
    """Who sent what trusted proxies handed on: the last hop in `X-Forwarded-For` that is none of them.

    Whatever stands further left was written by whoever is not trusted. A hop that is no address ends the
    search: then the proxy that wrote it is the sender.
    """
    hops = [hop for line in forwarded for hop in line.split(",")]
    known = _address(peer)
    while known is not None and hops and _is_among(known, trusted):
        hop = _address(_without_port(hops.pop().strip()))
        if hop is None:
            break
        known = hop
    return peer if known is None else str(known)


def _is_among(address: Address, networks: Collection[Network]) -> bool:
    return any(address in network for network in networks)


def _address(text: str) -> Address | None:
    """The address, IPv4 in its own form even where it came wrapped in IPv6."""
    try:
        known = ipaddress.ip_address(text)
    except ValueError:
        return None
    return (known.ipv4_mapped or known) if isinstance(known, ipaddress.IPv6Address) else known


def _without_port(hop: str) -> str:
    """`192.0.2.7:4711` and `[2001:db8::7]:4711` as some proxies write them."""
    if hop.startswith("["):
        return hop[1:].partition("]")[0]
    return hop.partition(":")[0] if hop.count(":") == 1 else hop
