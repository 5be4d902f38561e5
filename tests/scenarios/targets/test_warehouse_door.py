"""The harness's own warehouse can be slow or stand still, and whoever waits for it is found out."""

from __future__ import annotations

import asyncio
from pathlib import Path

import httpx
import pytest

from scenarios.__main__ import main
from scenarios.targets.warehouse_door import WarehouseDoor
from scenarios.warehouse import Warehouse

FLASK = Path(__file__).parents[3] / "examples" / "flask"
CALL = {"order": "ord_1", "fulfilment": "ful_1"}


class Visit:
    """A warehouse behind a door, and somebody who calls it."""

    def __init__(self) -> None:
        self.warehouse = Warehouse(lambda: 0.0)
        self.door = WarehouseDoor(self.warehouse.app)
        transport = httpx.ASGITransport(self.door)
        self.http = httpx.AsyncClient(transport=transport, base_url="http://warehouse")

    async def begun(self) -> asyncio.Task[httpx.Response]:
        """A call that has got as far as it gets."""
        call = asyncio.create_task(self.http.post("/fulfilments", json=CALL))
        for _ in range(50):
            await asyncio.sleep(0)
        return call


async def test_a_slow_warehouse_has_heard_the_call_and_answers_when_it_is_healed() -> None:
    visit = Visit()
    visit.door.slow_down(3600.0)
    call = await visit.begun()
    assert not call.done()
    assert [one.order for one in visit.warehouse.shipments] == ["ord_1"]
    visit.door.heal()
    assert (await call).status_code == 200
    assert visit.door.acted == 1


async def test_who_comes_when_the_warehouse_is_quick_again_is_answered_at_once() -> None:
    visit = Visit()
    visit.door.slow_down(0.01)
    assert (await visit.http.post("/fulfilments", json=CALL)).status_code == 200
    visit.door.speed_up()
    call = await visit.begun()
    assert call.done()
    assert visit.door.acted == 1


async def test_a_warehouse_that_stands_still_hears_nothing_before_it_goes_on() -> None:
    visit = Visit()
    visit.door.stop()
    call = await visit.begun()
    assert not call.done()
    assert not visit.warehouse.shipments
    visit.door.go_on()
    assert (await call).status_code == 200
    assert len(visit.warehouse.shipments) == visit.door.acted == 1


@pytest.mark.live
def test_a_service_that_waits_for_the_warehouse_before_it_answers_is_found_out(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code = (FLASK / "correct.py").read_text()
    eager = code.replace(
        '    return {"received": True}',
        "    for order in change(\"SELECT * FROM orders WHERE status = 'paid'\"):\n"
        "        advance(order)\n"
        '    return {"received": True}',
    ).replace("timeout=1)", "timeout=10)")
    assert eager != code
    (tmp_path / "correct.py").write_text(eager)
    target = tmp_path / "eager.toml"
    target.write_text((FLASK / "correct.toml").read_text())
    assert main(["run", "calm", "--target", str(target)]) == 0
    assert main(["run", "slow_warehouse", "--target", str(target)]) == 1
    assert "slow_warehouse: answered_in_time" in capsys.readouterr().out
