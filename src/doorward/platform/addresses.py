"""Who counts as one sender on the network."""

import ipaddress

ONE_NETWORK = 64  # whoever has one IPv6 address has all of its /64


def sender_of(address: str | None) -> str:
    """The address to count by: IPv4 as it is, IPv6 by its network; what is no address stays as it is."""
    try:
        known = ipaddress.ip_address((address or "").partition("%")[0])
    except ValueError:
        return address or "unknown"
    if isinstance(known, ipaddress.IPv4Address):
        return str(known)
    if known.ipv4_mapped is not None:
        return str(known.ipv4_mapped)
    return str(ipaddress.ip_network((known, ONE_NETWORK), strict=False))
