"""A URL comes in; whether a flood may go there, or a sentence about why not, goes out.

A test tool must not reach the world by accident, and a flood is the last thing that should.
"""

from __future__ import annotations

import ipaddress
import socket
from urllib.parse import urlsplit

from loadtests.arguments import WrongUsage

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def _networks(*texts: str) -> tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...]:
    return tuple(ipaddress.ip_network(text) for text in texts)


_PRIVATE = _networks("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7")
# Where nobody's webhooks are, whoever owns the network: what clouds tell machines about themselves,
# "this network", and forms of IPv6 that carry an address of IPv4 past a check.
_NEVER = _networks(
    *("100.100.100.200", "168.63.129.16", "192.0.0.192", "fd00:ec2::254", "0.0.0.0/8"),
    *("::ffff:0:0/96", "::/96", "2002::/16", "2001::/32", "64:ff9b::/96", "64:ff9b:1::/48"),
)


def check_target(url: str, *, allow_public: bool) -> None:
    """Refuse what is no URL of a host, or no address that a flood may go to. Raises WrongUsage."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError as problem:
        raise WrongUsage(f"{url!r} is not a URL: {problem}") from problem
    if parts.scheme not in ("http", "https") or not host:
        raise WrongUsage(f"{url!r} is not a URL like http://127.0.0.1:3000/webhooks")
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as problem:
        raise WrongUsage(f"{url} cannot be reached: {host} has no address") from problem
    for address in (ipaddress.ip_address(str(each[4][0]).partition("%")[0]) for each in found):
        if not _may_be_called(address, allow_public=allow_public):
            hint = "" if allow_public else ": add --allow-public-targets if it is yours"
            raise WrongUsage(f"{host} is {address}, which is not called{hint}")


def _may_be_called(address: Address, *, allow_public: bool) -> bool:
    if address.is_loopback:
        return True
    if any(address in network for network in _NEVER):
        return False
    if any(address in network for network in _PRIVATE):
        return True
    is_nobodys = address.is_link_local or address.is_multicast or address.is_reserved
    return allow_public and not is_nobodys and not address.is_unspecified
