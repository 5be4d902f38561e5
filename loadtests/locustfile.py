"""What locust runs: three kinds of users, any mix of them, and the figures at the end.

Against anything that runs already: ``LOAD_SHOP=http://127.0.0.1:8081 locust -f
loadtests/locustfile.py Buyer``. A second ``-f``, from ``shapes/``, says how the load grows.
"""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any

from locust import events
from locust.env import Environment
from locust.rpc import Message
from locust.runners import MasterRunner, WorkerRunner

from loadtests.buyers import Buyer
from loadtests.polling_storm import Poller
from loadtests.silence import Silence
from loadtests.webhook_flood import WebhookSender

__all__ = ["Buyer", "Poller", "WebhookSender"]

RESULT_FILE = "LOAD_RESULT_FILE"
LAST_FIGURES_WITHIN_S, LOOK_EVERY_S = 10.0, 0.1
SILENCE = Silence()


def write_result(environment: Environment, **_: Any) -> None:
    """Leave the figures, and why requests failed, in the file that the environment names."""
    path = os.environ.get(RESULT_FILE)
    # The one that asked for the figures has them all: its workers report to it.
    if not path or isinstance(environment.runner, WorkerRunner):
        return
    stats = environment.stats
    broken = environment.runner.exceptions.values() if environment.runner else []
    result = {
        "requests": [_figures(entry) for entry in stats.entries.values()],
        "failures": [
            *(
                {"what": f"{error.method} {error.name}", "why": str(error.error), "count": count}
                for error in stats.errors.values()
                if (count := error.occurrences)
            ),
            *({"what": "buyer", "why": one["msg"], "count": one["count"]} for one in broken),
        ],
        "silence": SILENCE.told,
        "answered": SILENCE.answered,
    }
    Path(path).write_text(json.dumps(result), encoding="utf-8")


def _figures(entry: Any) -> dict[str, Any]:
    return {
        "type": entry.method,
        "name": entry.name,
        "count": entry.num_requests,
        "failures": entry.num_failures,
        "per_second": entry.total_rps,
        "p50_ms": entry.get_response_time_percentile(0.50),
        "p95_ms": entry.get_response_time_percentile(0.95),
        "p99_ms": entry.get_response_time_percentile(0.99),
    }


def let_workers_finish(environment: Environment, **_: Any) -> None:
    """End the workers first, and wait for the last figures of users who may still go on.

    A master without a page that quits gives its workers half a second, whatever the stop timeout.
    """
    runner, options = environment.runner, environment.parsed_options
    if not isinstance(runner, MasterRunner) or options is None or not options.headless:
        return
    for client in list(runner.clients.all):
        runner.server.send_to_client(Message("quit", None, client.id))
    give_up_at = time.monotonic() + (environment.stop_timeout or 0) + LAST_FIGURES_WITHIN_S
    while runner.user_count and time.monotonic() < give_up_at:
        time.sleep(LOOK_EVERY_S)


events.test_start.add_listener(SILENCE.watch)
events.test_stopping.add_listener(let_workers_finish)
events.quitting.add_listener(write_result)
