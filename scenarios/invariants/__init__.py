"""The promises, one per file, in the order in which they are reported."""

from scenarios.invariants import (
    charged_once,
    every_capture_is_fulfilled,
    forgeries_are_refused,
    fulfilled_at_most_once,
    fulfilled_only_if_captured,
    genuine_webhooks_are_accepted,
    money_balances,
    shop_agrees_with_provider,
    status_never_goes_back,
)
from scenarios.invariants.finding import Finding, Invariant

INVARIANTS: dict[str, Invariant] = {
    module.INVARIANT.name: module.INVARIANT
    for module in (
        fulfilled_at_most_once,
        every_capture_is_fulfilled,
        fulfilled_only_if_captured,
        status_never_goes_back,
        shop_agrees_with_provider,
        charged_once,
        money_balances,
        forgeries_are_refused,
        genuine_webhooks_are_accepted,
    )
}

__all__ = ["INVARIANTS", "Finding", "Invariant"]
