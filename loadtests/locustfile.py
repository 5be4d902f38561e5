"""What locust runs: three kinds of users, any mix of them, and the figures at the end.

Against anything that runs already: ``LOAD_SHOP=http://127.0.0.1:8081 locust -f
loadtests/locustfile.py Buyer``. A second ``-f``, from ``shapes/``, says how the load grows.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from locust import events
from locust.env import Environment
from locust.runners import WorkerRunner

from loadtests.buyers import Buyer
from loadtests.polling_storm import Poller
from loadtests.webhook_flood import WebhookSender

__all__ = ["Buyer", "Poller", "WebhookSender"]

RESULT_FILE = "LOAD_RESULT_FILE"


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


events.quitting.add_listener(write_result)
