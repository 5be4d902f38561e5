"""A ramp: from one user to all of them, evenly, over the whole time."""

from __future__ import annotations

import os

from locust import LoadTestShape


class Ramp(LoadTestShape):
    """Where it bends is where the limit is."""

    users_max = int(os.environ.get("LOAD_USERS", "20"))
    time_s = float(os.environ.get("LOAD_TIME_S", "60"))

    def tick(self) -> tuple[int, float] | None:
        """Return how many users there should be now, and how many may come a second."""
        passed = float(self.get_run_time()) / self.time_s  # type: ignore[no-untyped-call]
        return None if passed >= 1 else (max(1, round(self.users_max * passed)), self.users_max)
