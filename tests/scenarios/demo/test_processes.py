"""However the demo ends, no process of it is left."""

from __future__ import annotations

import asyncio
import os
import signal

import httpx
import pytest

from tests.scenarios.demo.stand import PROCESSES, all_are_told_of, demo, is_alive

pytestmark = pytest.mark.live


async def test_ctrl_c_ends_every_process(tmp_path) -> None:
    async with demo(tmp_path) as running:
        assert len(running.children) == PROCESSES
        assert all(map(is_alive, running.children))
        async with httpx.AsyncClient(base_url=running.url) as client:
            page = await client.get("/")
            assert "script-src 'self'" in page.headers["content-security-policy"]
            refused = await client.post("/step", json={"step": 9})
            assert refused.status_code == 400
            assert "not from 0 to 5" in refused.json()["detail"]
            form = await client.post("/step", content="step=1")
            assert form.status_code == 415, "another site's form is not heard"
        running.interrupt()
        assert await running.end() == 130
        assert not [pid for pid in running.children if is_alive(pid)]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_a_recording_that_is_stopped_leaves_the_old_one(tmp_path, number) -> None:
    (tmp_path / "tour.html").write_text("old")
    async with demo(tmp_path, ("--for", "60s", "--html", "tour.html")) as running:
        await all_are_told_of(running)
        running.process.send_signal(number)
        assert await running.end() == 130
        assert not [pid for pid in running.children if is_alive(pid)]
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("tour.html", "old")]


async def test_when_one_process_crashes_the_demo_says_so_and_ends_the_others(tmp_path) -> None:
    async with demo(tmp_path) as running:
        os.kill(running.children[4], signal.SIGKILL)
        assert await running.end() == 3
        assert not [pid for pid in running.children if is_alive(pid)]
        await asyncio.sleep(0.1)
    assert "ended by itself" in running.said
    assert "Traceback" not in running.said
