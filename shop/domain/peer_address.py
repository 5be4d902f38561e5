"""Who is really calling: a connection's address and forwarded addresses in, one address out."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def networks_in(text: str) -> tuple[Network, ...]:
    """The networks of a list such as ``203.0.113.0/24, 2001:db8::1``; an empty text has none.

    Raises ValueError, which names the part that is not a network.
    """
    parts = [part.strip() for part in text.split(",")] if text.strip() else []
    return tuple(ipaddress.ip_network(part) for part in parts)


def peer_address(
    connection: str, forwarded: Sequence[str], trusted: Sequence[Network]
) -> Address | None:
    """The address that a call comes from, or None where it cannot be known.

    Everybody can write a forwarding header, so it counts only as far as trusted hops wrote it:
    from the right, up to the first address that is not one of theirs.

    Args:
        connection: the address at the other end of the connection
        forwarded: the values of all X-Forwarded-For headers, in the order of the request
        trusted: our own proxies
    """
    nearest = _address(connection)
    hops = [hop.strip() for value in forwarded for hop in value.split(",")]
    while hops and nearest is not None and is_in(nearest, trusted):
        nearest = _address(hops.pop())
    return nearest


def is_in(address: Address, networks: Sequence[Network]) -> bool:
    """Whether one of the networks has this address."""
    return any(address in network for network in networks)


def _address(text: str) -> Address | None:
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    # A socket that listens on both protocols shows IPv4 callers as ::ffff:203.0.113.7.
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        return address.ipv4_mapped
    return address
