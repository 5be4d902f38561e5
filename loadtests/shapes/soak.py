"""A soak: a slow start over a twentieth of the time, and then the same load to the end."""

from __future__ import annotations

import os

from locust import LoadTestShape

WARM_SHARE = 0.05


class Soak(LoadTestShape):
    """Memory and latency should be as flat as the load."""

    users_max = int(os.environ.get("LOAD_USERS", "20"))
    time_s = float(os.environ.get("LOAD_TIME_S", "1200"))

    def tick(self) -> tuple[int, float] | None:
        """Return how many users there should be now, and how many may come a second."""
        passed = float(self.get_run_time()) / self.time_s  # type: ignore[no-untyped-call]
        if passed >= 1:
            return None
        users = max(1, round(self.users_max * min(1.0, passed / WARM_SHARE)))
        return users, self.users_max
