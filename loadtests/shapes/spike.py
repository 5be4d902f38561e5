"""A spike: a tenth of the users, in the middle third all of them at once, then a tenth again."""

from __future__ import annotations

import os

from locust import LoadTestShape

QUIET_SHARE = 0.1


class Spike(LoadTestShape):
    """Whether the latency comes back down is the question."""

    users_max = int(os.environ.get("LOAD_USERS", "20"))
    time_s = float(os.environ.get("LOAD_TIME_S", "60"))

    def tick(self) -> tuple[int, float] | None:
        """Return how many users there should be now, and how many may come a second."""
        passed = float(self.get_run_time()) / self.time_s  # type: ignore[no-untyped-call]
        if passed >= 1:
            return None
        is_spike = 1 / 3 <= passed < 2 / 3
        users = self.users_max if is_spike else max(1, round(self.users_max * QUIET_SHARE))
        return users, self.users_max
