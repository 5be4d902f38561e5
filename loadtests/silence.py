"""A flood at a consumer where nobody answers any more is ended: more of it would show nothing."""

from __future__ import annotations

import logging
import threading
import time
from typing import Any

from locust.env import Environment
from locust.runners import WorkerRunner
from locust.stats import RequestStats

# More than the three seconds between two reports of a worker.
SILENT_FOR_S, LOOK_EVERY_S = 5.0, 0.5
# How failures begin that are no answer.
NO_ANSWER = "no answer: "
_LOG = logging.getLogger(__name__)


class Silence:
    """Watches a run from the process that has all figures; ``told`` says why it was ended."""

    told: str | None = None
    answered = 0

    def watch(self, environment: Environment, **_: Any) -> None:
        """Begin; a master does it for its workers."""
        if not isinstance(environment.runner, WorkerRunner):
            # Under locust a thread is one of its greenlets, like every user.
            threading.Thread(target=self._watch, args=(environment,), daemon=True).start()

    def _watch(self, environment: Environment) -> None:
        lost_before, silent_s = 0, 0.0
        while True:
            time.sleep(LOOK_EVERY_S)
            answered, lost, why = counted(environment.stats)
            silent_s += LOOK_EVERY_S
            if answered != self.answered:
                self.answered, lost_before, silent_s = answered, lost, 0.0
            elif silent_s >= SILENT_FOR_S and lost > lost_before:
                break
        since = f"{answered:,} answers, then none" if answered else "nobody answered"
        self.told = f"{since} for {SILENT_FOR_S:g} s, so the flood was ended: {why}"
        _LOG.error("%s", self.told)
        if environment.runner is not None:
            environment.runner.quit()
        if environment.web_ui is not None:
            environment.web_ui.stop()


def counted(stats: RequestStats) -> tuple[int, int, str]:
    """Return how many requests got an answer, how many none, and why the last kind of these."""
    lost, why = 0, ""
    for error in stats.errors.values():
        _, is_lost, reason = str(error.error).partition(NO_ANSWER)
        if is_lost:
            lost += error.occurrences
            # Workers send each as Python would write it.
            why = reason.rstrip("')\"")
    return stats.total.num_requests - lost, lost, why
