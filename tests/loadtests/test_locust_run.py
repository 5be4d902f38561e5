"""Locust in several processes: what its users still wait for when the time is up counts as well."""

from __future__ import annotations

import itertools
import json
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

import pytest

from loadtests.locust_run import CONSTANT, Load, run_locust

# A buyer asks ever less often: for so many answers an order takes some seconds.
PAID_AT_LOOK = 45


class SlowShop(BaseHTTPRequestHandler):
    """Takes every order; each is paid when it has been asked about often enough."""

    looks: ClassVar[Counter[str]] = Counter()
    numbers: ClassVar[Iterator[int]] = itertools.count()

    def do_GET(self) -> None:
        if self.path == "/products":
            return self.answer(200, {"data": [{"sku": "tea", "currency": "EUR"}]})
        self.looks[self.path] += 1
        is_paid = self.looks[self.path] >= PAID_AT_LOOK
        return self.answer(200, {"status": "paid" if is_paid else "pending"})

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        self.answer(201, {"id": f"ord_{next(self.numbers)}"})

    def answer(self, status: int, document: dict[str, Any]) -> None:
        body = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        pass


@contextmanager
def slow_shop() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), SlowShop) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


@pytest.mark.live
@pytest.mark.parametrize("workers", [0, 2])
def test_an_order_that_is_paid_after_the_time_is_up_counts(workers: int, tmp_path: Path) -> None:
    load = Load("buyers", 4, 4, 1, CONSTANT, workers, None, tmp_path / "reports")
    with slow_shop() as url:
        result = run_locust(load, {"LOAD_SHOP": url}, tmp_path)
    counts = {one["name"]: one["count"] for one in result["requests"]}
    # On a busy machine some users come too late to order at all.
    assert counts["order placed → paid"] == counts["/orders"] > 0
    assert result["failures"] == []
