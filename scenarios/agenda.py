"""What the provider still has in store for its payments, and until when it is waited for."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import httpx

from psp_sim.domain.course import Step
from scenarios.api import BadAnswer
from scenarios.moments import moment
from scenarios.stage import Stage

# Money that has come and goes back.
_LATE_NEWS = (Step.FAIL_LATE, Step.OPEN_DISPUTE, Step.DECIDE_DISPUTE, Step.FAIL_REFUND)
# Without anybody's call a payment that is held only ever expires: who holds it need not wait.
_NOT_WAITED_FOR = (Step.EXPIRE,)

# On a real clock more than this, in real seconds, is not waited for.
REAL_WAIT_MAX_S = 60.0


@dataclass(frozen=True, slots=True)
class Plan:
    """One thing that is to happen to a payment; times are the stage's."""

    payment: str
    created_at: float
    step: Step
    at: float


async def read_agenda(stage: Stage) -> list[Plan]:
    """Return what is still to happen. Raises httpx.HTTPError or BadAnswer."""
    plans = (await stage.provider.get("/_control/agenda"))["data"]
    return [
        Plan(each["payment"], moment(each["created"]), Step(each["step"]), moment(each["at"]))
        for each in plans
        if each["step"] not in _NOT_WAITED_FOR
    ]


def late_news(plans: Sequence[Plan]) -> str | None:
    """Say which payment that seems to be at its end is not, or return None."""
    late = [plan for plan in plans if plan.step in _LATE_NEWS]
    if not late:
        return None
    first = min(late, key=lambda plan: plan.at)
    return f"payment {first.payment} has something to come: {first.step}"


class Deadline:
    """Until when the services have to come to rest.

    That is a bound after the healing, and as long again after the last thing that the provider has
    in store. A shop that never stops to make payments cannot put it off: those that it makes later
    than the bound do not count.
    """

    def __init__(self, stage: Stage, bound_s: float) -> None:
        self._stage = stage
        self._bound_s = stage.scaled(bound_s)
        self._first_at = stage.now() + self._bound_s
        self._at = self._first_at
        is_virtual = stage.patience is None and stage.time_scale == 1
        self._reach_s = math.inf if is_virtual else REAL_WAIT_MAX_S

    @property
    def left_s(self) -> float:
        """How much is left, in the scenario's seconds; zero or less when it has passed."""
        return (self._at - self._stage.now()) * self._stage.time_scale

    def reaches(self, plans: Sequence[Plan]) -> bool:
        """Tell whether all of these can be waited for."""
        return all(plan.at <= self._first_at + self._reach_s for plan in plans)

    def follow(self, plans: Sequence[Plan]) -> None:
        """Put it off until after what is in store, if that can be waited for."""
        ours = [plan.at for plan in plans if plan.created_at <= self._first_at]
        if ours and self.reaches(plans):
            self._at = max(self._at, max(ours) + self._bound_s)

    async def look_ahead(self) -> None:
        """Ask the provider what is in store, and put it off for that."""
        try:
            self.follow(await read_agenda(self._stage))
        except (httpx.HTTPError, BadAnswer):
            # A provider that does not answer gives no reason to wait for longer.
            return
