"""A stranger's secret is rotated at the provider: each wish once, however often it is tried."""

from __future__ import annotations

from pathlib import Path

from scenarios.api import Api
from scenarios.targets.external_shop import ExternalShop
from scenarios.warehouse import Warehouse
from tests.psp_sim.stand import API_KEY, PROVIDER_URL, Stand, in_world
from tests.scenarios.targets.test_external_fit import TARGET, target_of


@in_world()
async def test_a_wish_that_is_tried_again_rotates_once_and_another_one_again(
    stand: Stand, tmp_path: Path
) -> None:
    made = await stand.add_endpoint()
    key = {"authorization": f"Bearer {API_KEY}"}
    provider = Api(PROVIDER_URL, stand.world.transport_for("customer"), 30.0, key)
    target, warehouse = target_of(tmp_path, TARGET), Warehouse(stand.now)
    shop = ExternalShop(target, provider, provider, warehouse, stand.now)

    ends = []
    for wish in ("rotate-8", "rotate-8", "rotate-11"):
        assert await shop.rotate_secret(wish)
        shown = await stand.get(f"/v1/webhook_endpoints/{made['id']}")
        ends.append(shown["previous_secret_expires_at"])
    assert ends[0] == ends[1] < ends[2]
