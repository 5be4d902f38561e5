"""Whose call it is: a header is a claim, and only our own proxies' claims are believed."""

from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as some

from shop.domain.peer_address import is_in, networks_in, peer_address

OURS = networks_in("10.0.0.0/8, fd00::/8")


@pytest.mark.parametrize(
    ("connection", "forwarded", "peer"),
    [
        ("203.0.113.7", [], "203.0.113.7"),
        ("203.0.113.7", ["198.51.100.1"], "203.0.113.7"),
        ("10.0.0.1", [], "10.0.0.1"),
        ("10.0.0.1", ["203.0.113.7"], "203.0.113.7"),
        ("10.0.0.1", ["198.51.100.1, 203.0.113.7"], "203.0.113.7"),
        ("10.0.0.1", ["198.51.100.1", "203.0.113.7"], "203.0.113.7"),
        ("10.0.0.1", ["198.51.100.1, 203.0.113.7, 10.0.0.2"], "203.0.113.7"),
        ("10.0.0.1", ["10.0.0.3, 10.0.0.2"], "10.0.0.3"),
        ("10.0.0.1", ["203.0.113.7, junk"], None),
        ("10.0.0.1", ["203.0.113.7:443"], None),
        ("10.0.0.1", [""], None),
        ("10.0.0.1", ["unknown, 10.0.0.2"], None),
        ("fd00::1", [" 2001:db8::7 "], "2001:db8::7"),
        ("::ffff:10.0.0.1", ["::ffff:203.0.113.7"], "203.0.113.7"),
        ("", ["203.0.113.7"], None),
        ("testclient", [], None),
    ],
)
def test_the_peer_is_the_nearest_address_that_is_not_one_of_our_proxies(
    connection, forwarded, peer
):
    assert peer_address(connection, forwarded, OURS) == (peer and ip_address(peer))


@given(some.lists(some.text(max_size=40), max_size=4), some.ip_addresses())
def test_whatever_a_stranger_writes_into_the_header_its_own_address_counts(forwarded, claimed):
    peer = peer_address("203.0.113.7", [*forwarded, str(claimed)], OURS)
    assert peer == ip_address("203.0.113.7")


@given(some.lists(some.text(max_size=40), max_size=4))
def test_what_stands_before_the_entry_of_a_trusted_proxy_changes_nothing(claims):
    peer = peer_address("10.0.0.1", [*claims, "203.0.113.7"], OURS)
    assert peer == ip_address("203.0.113.7")


def test_networks_and_single_addresses_of_both_protocols_are_read():
    networks = networks_in(" 203.0.113.0/24,2001:db8::/32 , 198.51.100.1")
    inside = ("203.0.113.255", "2001:db8:1::1", "198.51.100.1")
    outside = ("203.0.114.0", "2001:db9::1", "198.51.100.2", "::1")
    assert all(is_in(ip_address(one), networks) for one in inside)
    assert not any(is_in(ip_address(one), networks) for one in outside)
    assert networks_in("") == networks_in("  ") == ()


@pytest.mark.parametrize("text", ["10.0.0.1/8", "10.0.0.0/33", "psp.example", "10.0.0.0/8,", "*"])
def test_what_is_not_a_network_is_named(text):
    with pytest.raises(ValueError, match=r"10\.0\.0|psp\.example|''|\*"):
        networks_in(text)
