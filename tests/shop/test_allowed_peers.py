"""Webhooks are taken from certain addresses only, where the settings say so."""

from dataclasses import replace

import pytest

from shop.settings import BadSetting, Settings
from tests.shop.fake_provider import FakeProvider
from tests.shop.fakes import QUICK, running_shop

GUARDED = replace(QUICK, webhook_allow_list="203.0.113.0/24", trusted_proxies="10.0.0.1/32")


async def answer_to(peer, settings=GUARDED, **headers):
    async with running_shop(peer=peer, settings=settings) as shop:
        _, payment_id = await shop.place_requested_order()
        return await shop.deliver(shop.world.event(payment_id, "succeeded"), **headers)


@pytest.mark.parametrize(
    ("peer", "headers", "status"),
    [
        ("203.0.113.7", {}, 200),
        ("203.0.113.7", {"x_forwarded_for": "198.51.100.1"}, 200),
        ("198.51.100.1", {}, 403),
        ("198.51.100.1", {"x_forwarded_for": "203.0.113.7"}, 403),
        ("10.0.0.1", {"x_forwarded_for": "203.0.113.7"}, 200),
        ("10.0.0.1", {"x_forwarded_for": "203.0.113.7, 198.51.100.1"}, 403),
        ("10.0.0.1", {"x_forwarded_for": "junk"}, 403),
        ("10.0.0.1", {}, 403),
        ("10.0.0.2", {"x_forwarded_for": "203.0.113.7"}, 403),
        ("somebody", {}, 403),
    ],
)
async def test_a_genuine_webhook_is_taken_from_an_allowed_address_only(peer, headers, status):
    assert (await answer_to(peer, **headers)).status_code == status


async def test_without_a_list_every_address_may_call():
    assert (await answer_to("198.51.100.1", replace(GUARDED, webhook_allow_list=""))).is_success


async def test_a_refusal_is_a_problem_document_that_names_the_caller_and_not_the_list():
    answer = await answer_to("198.51.100.1")
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert (problem["code"], problem["definite"]) == ("peer_not_allowed", True)
    assert "198.51.100.1" in problem["detail"]
    assert "203.0.113" not in answer.text


async def test_a_stranger_is_refused_before_its_body_is_read():
    asked_for = []

    async def body():
        asked_for.append(True)
        yield b"{}"

    async with running_shop(peer="198.51.100.1", settings=GUARDED) as shop:
        answer = await shop.http.post("/webhooks/psp", content=body())
        assert (answer.status_code, asked_for) == (403, [])


async def test_customers_may_come_from_anywhere():
    async with running_shop(peer="198.51.100.1", settings=GUARDED) as shop:
        assert (await shop.place_order())["status"] == "pending"


PROXY = "10.0.0.1"
GUARDED_ROUTES = [
    ("GET", "/dead_letters"),
    ("POST", "/dead_letters/evt_1/retry"),
    ("POST", "/orders/order_1/refunds"),
    ("POST", "/_admin/rotate_webhook_secret"),
]


@pytest.mark.parametrize(("method", "path"), GUARDED_ROUTES)
@pytest.mark.parametrize("forwarded", ["8.8.8.8", "10.0.0.9, 8.8.8.8", "8.8.8.8, 10.0.0.1", "junk"])
async def test_through_a_trusted_proxy_nobody_is_taken_for_this_machine(method, path, forwarded):
    async with running_shop(FakeProvider(), peer=PROXY, settings=GUARDED) as shop:
        answer = await shop.http.request(method, path, headers={"x-forwarded-for": forwarded})
        assert (answer.status_code, answer.json()["code"]) == (403, "admin_only")
        told = "an unknown address" if forwarded == "junk" else "8.8.8.8"
        assert answer.json()["detail"].endswith(f"not to {told}")


@pytest.mark.parametrize("headers", [{}, {"x-forwarded-for": "8.8.8.8, 127.0.0.1"}])
async def test_a_trusted_proxy_itself_and_its_own_machine_may_read_what_was_set_aside(headers):
    async with running_shop(FakeProvider(), peer=PROXY, settings=GUARDED) as shop:
        assert (await shop.http.get("/dead_letters", headers=headers)).status_code == 200


@pytest.mark.parametrize("name", ["webhook_allow_list", "trusted_proxies"])
def test_a_list_that_is_none_is_refused_at_the_start(name):
    option = "--" + name.replace("_", "-")
    with pytest.raises(BadSetting, match=f"{option} must be networks.*host bits"):
        Settings(**{name: "10.0.0.1/8"})
