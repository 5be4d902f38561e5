"""Server-side request forgery: no spelling, name or redirect takes a webhook where it must not go.

Every case is tried twice: when an endpoint is registered, and when a call is about to connect,
where alone names have addresses. The sockets are replaced by a recorder, so nothing is called.
"""

import asyncio
import socket

import httpx
import pytest

from psp_sim import guarded_transport
from psp_sim.domain.endpoint import check_url
from psp_sim.domain.errors import InvalidUrl
from psp_sim.guarded_transport import GuardedTransport
from psp_sim.posting_transport import Posted

ALLOWED = [
    *("127.0.0.1", "127.255.255.254", "10.0.0.1", "10.255.255.255", "172.16.0.1", "172.31.255.255"),
    *("192.168.0.1", "[::1]", "[0:0:0:0:0:0:0:1]", "[fc00::1]", "[fd12:3456::1]", "127.0.0.1."),
]
PUBLIC = [
    *("93.184.216.34", "8.8.8.8", "172.15.255.255", "172.32.0.1", "192.167.1.1", "11.0.0.1"),
    *("100.64.0.1", "198.18.0.1", "[2606:4700::1111]", "[2a00:1450::1]"),
]
FORBIDDEN = {
    "metadata and link-local": (
        *("169.254.169.254", "169.254.0.1", "[fe80::1]", "[fd00:ec2::254]", "100.100.100.200"),
        *("168.63.129.16", "192.0.0.192", "169.254.169.254."),
    ),
    "this host by no address": ("0.0.0.0", "[::]", "0.0.0.1"),
    "broadcast, multicast, reserved": ("255.255.255.255", "224.0.0.1", "[ff02::1]", "240.0.0.1"),
    "IPv4 inside IPv6": (
        *("[::ffff:127.0.0.1]", "[::ffff:169.254.169.254]", "[::ffff:a9fe:a9fe]", "[::7f00:1]"),
        *("[::ffff:0:7f00:1]", "[2002:7f00:1::]", "[2002:a9fe:a9fe::]", "[2001:0:7f00:1::]"),
    ),
    "NAT64": ("[64:ff9b::7f00:1]", "[64:ff9b::169.254.169.254]", "[64:ff9b:1::a9fe:a9fe]"),
    "decimal, octal, hexadecimal": (
        *("2130706433", "2852039166", "017700000001", "0x7f000001", "0xa9fea9fe", "0X7F.1"),
        *("0177.0.0.1", "0251.0376.0251.0376", "0x7f.0x0.0x0.0x1", "127.0.0.0x1", "1.0x"),
    ),
    "short": ("127.1", "127.0.1", "0", "10.1", "169.254.43518"),
    "zone ids": ("[fe80::1%25eth0]", "[fe80::1%eth0]", "[fd00:ec2::254%251]", "[::1%25lo]"),
    "odd characters": (
        "１２７.0.0.1",
        "169。254。169。254",
        "①②⑦.0.0.1",
        "%31%32%37.0.0.1",
        "127.0.0.1%00",
    ),
}
SPELLINGS = [host for hosts in FORBIDDEN.values() for host in hosts]
NAMED = [
    *("169.254.169.254", "0.0.0.0", "::", "fe80::1", "fd00:ec2::254", "::ffff:127.0.0.1"),
    *(
        "64:ff9b::7f00:1",
        "2002:7f00:1::",
        "224.0.0.1",
        "100.100.100.200",
        "fe80::1%eth0",
        "fd00:ec2::254%1",
        "0.0.0.9",
    ),
]


class Recorder(httpx.AsyncBaseTransport):
    """Stands where the sockets would be; remembers which address would have been connected to."""

    def __init__(self, connected, pin):
        self.connected, self.pin = connected, pin

    async def handle_async_request(self, request):
        self.connected.append(str(self.pin[1]) if self.pin else request.url.host)
        return httpx.Response(200)

    async def post(self, url, headers, body, **limits):
        self.connected.append(str(self.pin[1]) if self.pin else httpx.URL(url).host)
        return Posted(200, b"", None)


@pytest.fixture(params=["request", "post"])
def call(request):
    """Both ways of making a call."""

    async def go(url, *, allow_public=False):
        transport = GuardedTransport(allow_public=allow_public)
        if request.param == "post":
            await transport.post(url, {}, b"{}", timeout_s=5, answer_bytes_max=100)
        else:
            await transport.handle_async_request(httpx.Request("POST", url, content=b"{}"))

    return go


@pytest.fixture
def connected(monkeypatch):
    """Return the addresses that were connected to."""
    made = []

    def recorder(_=None, pin=None):
        return Recorder(made, pin)

    monkeypatch.setattr(guarded_transport, "DirectTransport", recorder)
    return made


def resolver_says(monkeypatch, *addresses):
    async def getaddrinfo(host, *_, **__):
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (each, 0)) for each in addresses]

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", getaddrinfo)


def test_there_are_enough_of_them():
    assert len(set(SPELLINGS)) >= 50


@pytest.mark.parametrize("allow_public", [False, True])
@pytest.mark.parametrize("host", SPELLINGS)
async def test_a_forbidden_host_is_called_under_no_setting(call, connected, host, allow_public):
    url = f"http://{host}:8081/hooks"
    with pytest.raises(InvalidUrl):
        check_url(url, allow_public=allow_public)
    with pytest.raises((httpx.ConnectError, httpx.InvalidURL)):
        await call(url, allow_public=allow_public)
    assert connected == []


@pytest.mark.parametrize("host", ALLOWED)
async def test_loopback_and_private_addresses_are_called(call, connected, host):
    url = f"http://{host}:8081/hooks"
    assert check_url(url, allow_public=False) == url
    await call(url)
    assert len(connected) == 1


@pytest.mark.parametrize("host", PUBLIC)
async def test_public_addresses_are_called_only_where_that_is_allowed(call, connected, host):
    url = f"https://{host}/hooks"
    with pytest.raises(InvalidUrl, match="does not call"):
        check_url(url, allow_public=False)
    with pytest.raises(httpx.ConnectError, match="does not call"):
        await call(url)
    assert connected == []
    check_url(url, allow_public=True)
    await call(url, allow_public=True)
    assert len(connected) == 1


@pytest.mark.parametrize("allow_public", [False, True])
@pytest.mark.parametrize("address", NAMED)
async def test_a_name_for_a_forbidden_address_is_found_out_at_the_call(
    call, connected, monkeypatch, address, allow_public
):
    resolver_says(monkeypatch, "127.0.0.1", address)
    check_url("http://harmless.example/hooks", allow_public=allow_public)
    with pytest.raises(httpx.ConnectError, match="does not call"):
        await call("http://harmless.example/hooks", allow_public=allow_public)
    assert connected == []


async def test_a_name_for_a_public_address_goes_by_the_setting(call, connected, monkeypatch):
    resolver_says(monkeypatch, "93.184.216.34")
    with pytest.raises(httpx.ConnectError):
        await call("http://harmless.example/hooks")
    await call("http://harmless.example/hooks", allow_public=True)
    assert connected == ["93.184.216.34"]


async def test_a_name_without_an_address_is_an_error_of_the_connection(call, monkeypatch):
    async def getaddrinfo(*_, **__):
        raise socket.gaierror(8, "unknown")

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", getaddrinfo)
    with pytest.raises(httpx.ConnectError, match="has no address"):
        await call("http://nowhere.example/hooks")


@pytest.mark.parametrize(
    "url",
    [
        *("http://user:secret@127.0.0.1/hooks", "http://user@127.0.0.1/", "http://:@127.0.0.1/"),
        *("http://127.0.0.1@169.254.169.254/", "http://127.0.0.1#@169.254.169.254/"),
        *("http://127.0.0.1\\@169.254.169.254/", "file:///etc/passwd", "gopher://127.0.0.1/"),
        *("ftp://127.0.0.1/", "http:///hooks", "//127.0.0.1/hooks", "http://127.0.0.1:0/"),
        *(
            "http://127.0.0.1:99999/",
            "http://127.0.0.1/\r\nX: y",
            "http://127.0.0.1/a b",
            "http://",
        ),
        *("http://[::1", "http://[127.0.0.1]/", "", " http://127.0.0.1/", 17, None, ["http://a/"]),
    ],
)
def test_what_is_no_plain_url_is_refused_at_registration(url):
    if url == "http://127.0.0.1#@169.254.169.254/":
        # Everything from # on stays here: the host is loopback, for every parser.
        assert check_url(url, allow_public=False) == url
        return
    with pytest.raises(InvalidUrl):
        check_url(url, allow_public=True)
