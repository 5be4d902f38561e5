"""Addresses that webhooks may go to, and the disguises of those that they may not."""

import ipaddress

import pytest

from psp_sim.domain.target_address import is_forbidden, literal_address

ALWAYS = [
    *("169.254.169.254", "fe80::1", "224.0.0.1", "ff02::1", "0.0.0.0", "::", "255.255.255.255"),
    *("240.0.0.1", "::ffff:127.0.0.1", "::ffff:169.254.169.254", "::7f00:1", "2002:7f00:1::"),
    *("64:ff9b::a9fe:a9fe", "64:ff9b:1::1", "2001::1", "100.100.100.200", "168.63.129.16"),
    *("192.0.0.192", "fd00:ec2::254"),
]


@pytest.mark.parametrize("text", ALWAYS)
@pytest.mark.parametrize("allow_public", [False, True])
def test_some_addresses_are_forbidden_always(text, allow_public):
    assert is_forbidden(ipaddress.ip_address(text), allow_public=allow_public)


@pytest.mark.parametrize(
    "text", ["127.0.0.1", "127.9.9.9", "::1", "10.1.2.3", "172.31.0.1", "192.168.1.1", "fd12::1"]
)
def test_loopback_and_private_addresses_are_allowed(text):
    assert not is_forbidden(ipaddress.ip_address(text), allow_public=False)


@pytest.mark.parametrize("text", ["93.184.216.34", "2606:4700::1", "100.64.0.1", "198.18.0.1"])
def test_other_addresses_have_to_be_allowed(text):
    assert is_forbidden(ipaddress.ip_address(text), allow_public=False)
    assert not is_forbidden(ipaddress.ip_address(text), allow_public=True)


@pytest.mark.parametrize(
    "host",
    [
        *("2130706433", "0x7f000001", "0x7f.1", "127.1", "127.0.1", "0177.0.0.1", "1.0x"),
        *("169.254.169.%32%35%34", "%31.2.3.x", "a\\b", "１２７.0.0.1", "127。0。0。1", "", "a..b"),
    ],
)
def test_odd_spellings_are_refused(host):
    with pytest.raises(ValueError):
        literal_address(host)


@pytest.mark.parametrize("host", ["localhost", "shop", "shop.internal.", "my_shop-2.example"])
def test_a_name_is_no_address(host):
    assert literal_address(host) is None
