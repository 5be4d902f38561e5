"""The promises, one per file, in the order in which they are reported."""

from scenarios.invariants import (
    acknowledged_is_acted_on,
    acknowledged_survives_a_crash,
    answered_in_time,
    charged_once,
    endpoint_is_mended,
    every_capture_is_fulfilled,
    forgeries_are_refused,
    fulfilled_at_most_once,
    fulfilled_only_if_captured,
    genuine_webhooks_are_accepted,
    money_balances,
    shop_agrees_with_provider,
    status_never_goes_back,
)
from scenarios.invariants.finding import Finding, Invariant, Violation

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
        acknowledged_survives_a_crash,
        answered_in_time,
        genuine_webhooks_are_accepted,
        acknowledged_is_acted_on,
        endpoint_is_mended,
    )
}

__all__ = ["INVARIANTS", "Finding", "Invariant", "Violation"]
