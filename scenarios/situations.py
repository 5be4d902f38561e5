"""What a scenario may need to have happened, or it proves nothing: told from the evidence alone.

A mark says the same of a whole suite in virtual time; these are asked of each scenario, on every
target. Where both have one, it has one name.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from psp_sim.domain.money import DECIMALS
from scenarios.evidence import Evidence, is_stray
from scenarios.invariants.acting import acted_on
from scenarios.moments import began_at, ended_at, moment

_SUCCEEDED, _PENDING = "payment.succeeded", "payment.processing"
_PUT_OFF = 429
_DEADLY = ("crash", "power_loss", "restart")

Attempt = tuple[Mapping[str, Any], Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Situation:
    """``summary`` completes the sentence "it never happened that …"."""

    name: str
    summary: str
    has_come: Callable[[Evidence], bool]


def _is_taken(attempt: Mapping[str, Any]) -> bool:
    return attempt["status"] is not None and 200 <= attempt["status"] < 300


def _taken(evidence: Evidence) -> list[Attempt]:
    """Return the webhook calls that were answered with 2xx, in the order of their answers."""
    taken = (each for each in evidence.attempts() if _is_taken(each[1]))
    return sorted(taken, key=lambda each: ended_at(each[1]))


def _several_currencies(evidence: Evidence) -> bool:
    return len({DECIMALS[payment["currency"]] for payment in evidence.captured()}) > 1


def _webhook_put_off(evidence: Evidence) -> bool:
    return any(attempt["status"] == _PUT_OFF for _, attempt in evidence.attempts())


def _large_webhook_taken(evidence: Evidence) -> bool:
    return any("oversize_body" in attempt["faults"] for _, attempt in _taken(evidence))


def _pending_after_captured(evidence: Evidence) -> bool:
    captured: dict[str, float] = {}
    for delivery, attempt in _taken(evidence):
        if delivery["type"] == _SUCCEEDED:
            captured.setdefault(delivery["payment"], ended_at(attempt))
    return any(
        delivery["type"] == _PENDING and captured.get(delivery["payment"], began) < began
        for delivery, attempt in _taken(evidence)
        for began in [began_at(attempt)]
    )


def _declined_after_paid(evidence: Evidence) -> bool:
    paid_at = {
        payment["reference"]: evidence.captured_at[payment["id"]]
        for payment in evidence.captured()
        if payment["id"] in evidence.captured_at
    }
    return any(
        moment(payment["created"]) >= paid_at.get(payment["reference"], float("inf"))
        for payment in evidence.payments
        if is_stray(payment) and payment["status"] == "failed"
    )


def _told_by_webhook(evidence: Evidence) -> bool:
    """Tell whether a success was acknowledged, and judged where it is known how soon to act."""
    if evidence.pace is None:
        return any(delivery["type"] == _SUCCEEDED for delivery, _ in _taken(evidence))
    return bool(acted_on(evidence))


def _told_before_healing(evidence: Evidence) -> bool:
    return evidence.healed_at is not None and any(
        delivery["type"] == _SUCCEEDED and ended_at(attempt) < evidence.healed_at
        for delivery, attempt in _taken(evidence)
    )


def _copies_came_at_once(evidence: Evidence) -> bool:
    busy_until: dict[str, float] = {}
    taken = (attempt for _, attempt in _taken(evidence))
    for attempt in sorted(taken, key=began_at):
        if began_at(attempt) < busy_until.get(attempt["webhook_id"], 0.0):
            return True
        busy_until[attempt["webhook_id"]] = ended_at(attempt)
    return False


def _deaths(evidence: Evidence) -> Iterable[float]:
    return [
        one.began_at for one in evidence.disturbances if one.kind in _DEADLY and "shop" in one.hosts
    ]


def _left_to_do_at_death(evidence: Evidence) -> bool:
    shipped = [shipment.at for shipment in evidence.shipments]
    return any(at > died_at for died_at in _deaths(evidence) for at in shipped)


def _came_again_after_death(evidence: Evidence) -> bool:
    taken = _taken(evidence)
    return any(
        first["webhook_id"] == second["webhook_id"]
        and ended_at(first) <= died_at <= began_at(second)
        for died_at in _deaths(evidence)
        for _, first in taken
        for _, second in taken
    )


SITUATIONS: Mapping[str, Situation] = {
    situation.name: situation
    for situation in (
        Situation(
            "several_currencies",
            "orders were paid in currencies with different numbers of decimals",
            _several_currencies,
        ),
        Situation(
            "webhook_put_off",
            "the shop asked the provider to come again later (429)",
            _webhook_put_off,
        ),
        Situation(
            "large_webhook_taken",
            "the shop took a webhook with much space between its JSON",
            _large_webhook_taken,
        ),
        Situation(
            "pending_after_captured",
            "news that a payment is pending arrived after the news of its capture",
            _pending_after_captured,
        ),
        Situation(
            "declined_after_paid",
            "a second payment for an order was declined after its first had succeeded",
            _declined_after_paid,
        ),
        Situation(
            "told_by_webhook",
            "the shop was told of a success in time to act upon it",
            _told_by_webhook,
        ),
        Situation(
            "told_before_healing",
            "the shop was told of a success while the faults were in force",
            _told_before_healing,
        ),
        Situation(
            "copies_came_at_once",
            "a copy of a webhook was sent while the other had not been answered",
            _copies_came_at_once,
        ),
        Situation(
            "left_to_do_at_death",
            "the shop died while goods were still to be sent",
            _left_to_do_at_death,
        ),
        Situation(
            "came_again_after_death",
            "a webhook that was taken before the shop died came again afterwards",
            _came_again_after_death,
        ),
    )
}


def what_never_came(needs: Iterable[str], evidence: Evidence) -> list[str]:
    """Return the names of those needed that did not come about."""
    return [name for name in needs if not SITUATIONS[name].has_come(evidence)]
