"""Which addresses webhooks may go to: a test tool must not reach the world by accident."""

from __future__ import annotations

import ipaddress
import re

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*|", re.IGNORECASE)
_NAME = re.compile(r"[0-9a-z_-]+(\.[0-9a-z_-]+)*\.?", re.IGNORECASE)

# What a private or shared range holds that must not be asked: the metadata services of clouds.
_METADATA = tuple(
    map(ipaddress.ip_address, ("100.100.100.200", "168.63.129.16", "192.0.0.192", "fd00:ec2::254"))
)
# Forms of IPv6 that carry an IPv4 address past a check: mapped, compatible, 6to4, Teredo, NAT64.
_CARRIERS = tuple(
    map(
        ipaddress.ip_network,
        ("::ffff:0:0/96", "::/96", "2002::/16", "2001::/32", "64:ff9b::/96", "64:ff9b:1::/48"),
    )
)
# "This network" (RFC 791): some systems take all of it for themselves.
_THIS_NETWORK = ipaddress.ip_network("0.0.0.0/8")
_PRIVATE = tuple(
    map(
        ipaddress.ip_network,
        ("127.0.0.0/8", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "::1/128", "fc00::/7"),
    )
)


def literal_address(host: str) -> Address | None:
    """Return the address that a host is, or None for a name. Raises ValueError for neither.

    URL parsers take a last label that is a number for IPv4, in ways that ipaddress refuses, and so
    does this: 2852039166 and 0xa9fea9fe are 169.254.169.254 (WHATWG URL, "ends in a number").
    """
    if ":" in host:
        address = ipaddress.IPv6Address(host)
        if address.scope_id is not None:
            raise ValueError(f"{host!r} names an interface of this machine, which no URL may")
        return address
    if not _NAME.fullmatch(host):
        raise ValueError(f"{host!r} is not the name of a host")
    host = host.removesuffix(".")
    return ipaddress.ip_address(host) if _NUMBER.fullmatch(host.rpartition(".")[2]) else None


def is_forbidden(address: Address, *, allow_public: bool) -> bool:
    """Tell whether the provider must not call an address.

    Link-local (cloud metadata), multicast, unspecified and reserved addresses are forbidden always,
    everything that is neither loopback nor private unless public ones are allowed.
    """
    # The interface after a % makes two addresses unequal, and does not make them two.
    address = ipaddress.ip_address(address.packed)
    if any(address in network for network in _PRIVATE):
        return address in _METADATA
    return (
        not allow_public
        or address in _METADATA
        or address.is_link_local
        or address.is_multicast
        or address in _THIS_NETWORK
        or address.is_unspecified
        or address.is_reserved
        or any(address in network for network in _CARRIERS)
    )
