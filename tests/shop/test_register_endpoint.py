"""Registration and rotation survive lost answers."""

from dataclasses import replace

import pytest

from tests.shop.fakes import (
    NEXT_SECRET,
    QUICK,
    SECRET,
    THIRD_SECRET,
    FakeWorld,
    StoppedClock,
    after_every_lease,
    for_a_while,
    fresh_database,
    running_shop,
    until,
)

pytestmark = pytest.mark.usefixtures("on_each_engine")

ROTATE = "/_admin/rotate_webhook_secret"


async def accepts(shop, secret):
    answer = await shop.deliver({"id": f"evt_{secret[6:12]}", "type": "ping"}, secret=secret)
    return answer.status_code


async def test_the_endpoint_is_registered_at_the_public_url_for_every_event():
    async with running_shop() as shop:
        endpoint = shop.world.endpoints["we_1"]
        assert endpoint["url"] == "http://shop:8081/webhooks/psp"
        assert endpoint["events"] == ["*"]
        assert await accepts(shop, SECRET) == 200


async def test_a_lost_answer_gives_the_same_endpoint_and_secret():
    world = FakeWorld()
    world.lose_answers = True
    async with running_shop(world, wait_for_secret=False) as shop:
        await until(lambda: len(world.calls("POST", "/v1/webhook_endpoints")) >= 3)
        world.lose_answers = False
        await shop.until_accepted({"id": "evt_1", "type": "ping"})
        assert len(world.endpoints) == 1


async def test_a_restart_keeps_the_endpoint():
    world, database = FakeWorld(), await fresh_database()
    for seed in (1, 2):
        async with running_shop(world, database=database, seed=seed) as shop:
            await for_a_while()
            assert await accepts(shop, SECRET) == 200
    await database.close()
    assert len(world.endpoints) == 1


async def test_an_endpoint_that_the_provider_has_forgotten_is_made_again():
    world, database = FakeWorld(), await fresh_database()
    async with running_shop(world, database=database):
        pass
    world.endpoints.clear()
    async with running_shop(world, database=database, clock=after_every_lease(), seed=2):
        await until(lambda: len(world.endpoints) == 1)
    await database.close()


async def test_after_a_rotation_both_secrets_are_in_force_until_the_old_one_ends():
    async with running_shop() as shop:
        answer = await shop.http.post(ROTATE)
        assert answer.status_code == 200
        assert answer.json()["previous_secret_expires_at"].startswith("2024-")
        assert [await accepts(shop, SECRET), await accepts(shop, NEXT_SECRET)] == [200, 200]
        shop.clock.ahead_s += 10**7 + 1
        assert [await accepts(shop, SECRET), await accepts(shop, NEXT_SECRET)] == [401, 200]


async def test_every_secret_is_accepted_until_it_ends_however_often_they_are_rotated():
    async with running_shop(clock=StoppedClock()) as shop:
        first_ends_at = shop.world.previous_secrets_end_at
        assert (await shop.http.post(ROTATE)).status_code == 200
        shop.world.previous_secrets_end_at = first_ends_at + 1000
        assert (await shop.http.post(ROTATE)).status_code == 200
        secrets = (SECRET, NEXT_SECRET, THIRD_SECRET)
        assert [await accepts(shop, one) for one in secrets] == [200, 200, 200]
        shop.clock.ahead_s = first_ends_at + 1.0
        assert [await accepts(shop, one) for one in secrets] == [401, 200, 200]
        shop.clock.ahead_s = first_ends_at + 1001.0
        assert [await accepts(shop, one) for one in secrets] == [401, 401, 200]


async def test_a_secret_that_is_to_end_at_once_does_not_live_on_with_one_before_it():
    """What the provider then tells is the end of the one before it: the last of all."""
    async with running_shop() as shop:
        assert (await shop.http.post(ROTATE)).status_code == 200
        answer = await shop.http.post(ROTATE, json={"overlap_s": 0})
        assert answer.json()["previous_secret_expires_at"].startswith("2024-")
        secrets = (SECRET, NEXT_SECRET, THIRD_SECRET)
        assert [await accepts(shop, one) for one in secrets] == [200, 401, 200]


async def test_the_secrets_of_an_older_version_of_the_shop_stay_in_force():
    world, database = FakeWorld(), await fresh_database()
    async with running_shop(world, database=database) as shop:
        assert (await shop.http.post(ROTATE)).status_code == 200
    async with database.transaction() as transaction:
        await transaction.execute("DROP TABLE older_secrets")
    async with running_shop(world, database=database, clock=after_every_lease(), seed=2) as shop:
        assert [await accepts(shop, one) for one in (SECRET, NEXT_SECRET)] == [200, 200]
        assert (await shop.http.post(ROTATE)).status_code == 200
        secrets = (SECRET, NEXT_SECRET, THIRD_SECRET)
        assert [await accepts(shop, one) for one in secrets] == [200, 200, 200]
    await database.close()


async def test_the_overlap_can_be_asked_for():
    async with running_shop() as shop:
        assert (await shop.http.post(ROTATE, json={"overlap_s": 7})).status_code == 200
        (request,) = shop.world.calls("POST", "/v1/webhook_endpoints/we_1/rotate_secret")
        assert request.content == b'{"overlap_s":7.0}'


async def test_a_rotation_whose_answer_is_lost_is_finished_later_even_after_a_restart():
    world, database = FakeWorld(), await fresh_database()
    async with running_shop(world, database=database) as shop:
        world.lose_answers = True
        answer = await shop.http.post(ROTATE)
        assert (answer.status_code, answer.json()["code"]) == (503, "provider_unavailable")
        assert await accepts(shop, SECRET) == 200
        assert await accepts(shop, NEXT_SECRET) == 401
    world.lose_answers = False
    async with running_shop(world, database=database, clock=after_every_lease(), seed=2) as shop:
        await shop.until_accepted({"id": "evt_1", "type": "ping"}, NEXT_SECRET)
        assert await accepts(shop, SECRET) == 200
    await database.close()
    rotations = world.calls("POST", "/v1/webhook_endpoints/we_1/rotate_secret")
    assert len({one.headers["idempotency-key"] for one in rotations}) == 1


async def test_a_rotation_that_the_provider_puts_off_is_not_reported_as_done():
    world = FakeWorld()
    world.may_rotate = False
    async with running_shop(world) as shop:
        assert (await shop.http.post(ROTATE)).status_code == 503
        assert await accepts(shop, SECRET) == 200


async def test_an_endpoint_that_is_as_it_should_be_is_left_alone():
    world = FakeWorld()
    async with running_shop(world) as shop:

        async def is_done_with():
            async with shop.database.transaction() as transaction:
                row = await transaction.fetch_one("SELECT due_at FROM webhook_endpoints")
            return row["due_at"] is None

        await until(is_done_with)
        await for_a_while()
        assert len(world.requests) == 1


async def test_a_rotation_before_registration_is_put_off():
    world = FakeWorld()
    world.down = True
    async with running_shop(world, wait_for_secret=False) as shop:
        answer = await shop.http.post(ROTATE)
        assert (answer.status_code, answer.json()["code"]) == (503, "endpoint_not_registered")


async def test_a_rotation_of_an_endpoint_that_is_gone_ends_with_a_new_endpoint():
    async with running_shop() as shop:
        shop.world.endpoints.clear()
        assert (await shop.http.post(ROTATE)).status_code == 200
        assert len(shop.world.endpoints) == 1
        assert await accepts(shop, SECRET) == 200


async def test_a_rotation_that_the_provider_refuses_for_now_is_tried_again_without_a_restart():
    world = FakeWorld()
    async with running_shop(world, settings=replace(QUICK, psp_timeout_s=0.05)) as shop:
        world.down = True
        assert (await shop.http.post(ROTATE)).status_code == 503
        world.down = False
        await until(lambda: world.endpoints["we_1"]["secret"] == NEXT_SECRET)
        await shop.until_accepted({"id": "evt_1", "type": "ping"}, NEXT_SECRET)


@pytest.mark.parametrize("peer", ["127.0.0.1", "::1", "10.3.0.7", "::ffff:10.0.0.1"])
async def test_this_machine_and_its_private_network_may_rotate(peer):
    async with running_shop(peer=peer) as shop:
        assert (await shop.http.post(ROTATE)).status_code == 200


@pytest.mark.parametrize("peer", ["192.168.1.4", "11.0.0.1", "8.8.8.8", "2001:db8::1", "nobody"])
async def test_nobody_else_may_whatever_they_say_they_are(peer):
    async with running_shop(peer=peer) as shop:
        answer = await shop.http.post(ROTATE, headers={"x-forwarded-for": "127.0.0.1"})
        assert (answer.status_code, answer.json()["code"]) == (403, "admin_only")
        told = "an unknown address" if peer == "nobody" else peer
        assert answer.json()["detail"].endswith(f"not to {told}")
        assert shop.world.calls("POST", "/v1/webhook_endpoints/we_1") == []


@pytest.mark.parametrize("body", ["[", '{"overlap_s": -1}', '{"overlap_s": "x"}'])
async def test_a_rotation_that_makes_no_sense_is_refused(body):
    async with running_shop() as shop:
        assert (await shop.http.post(ROTATE, content=body)).status_code == 400
