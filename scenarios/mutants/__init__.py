"""Deliberately broken shops, one per file: each differs from the correct one in a single part.

They prove that the scenarios can fail. The correct shop is not among them.
"""

from scenarios.mutants import (
    acknowledge_before_storing,
    check_then_act_dedupe,
    corrections_ignored,
    dedupe_by_payment,
    dedupe_in_memory,
    endpoint_redirects,
    event_id_only_dedupe,
    event_time_window,
    known_types_only,
    large_bodies_refused,
    marked_before_effect,
    new_key_per_retry,
    newest_secret_only,
    no_dedupe,
    no_reconciliation,
    no_signature_check,
    no_time_window,
    out_of_order_overwrite,
    past_only_time_window,
    processing_is_paid,
    timeout_is_failure,
    two_decimals_everywhere,
    unreadable_signature_crashes,
    unsigned_is_fine,
    verifies_reserialised_json,
)
from scenarios.mutants.mutant import Mutant
from shop.parts import Parts

# In the order of the bug classes M01 to M51.
MUTANTS: dict[str, Mutant] = {
    module.MUTANT.name: module.MUTANT
    for module in (
        no_dedupe,
        check_then_act_dedupe,
        dedupe_in_memory,
        dedupe_by_payment,
        event_id_only_dedupe,
        marked_before_effect,
        acknowledge_before_storing,
        out_of_order_overwrite,
        no_signature_check,
        verifies_reserialised_json,
        no_time_window,
        past_only_time_window,
        event_time_window,
        unsigned_is_fine,
        newest_secret_only,
        unreadable_signature_crashes,
        new_key_per_retry,
        timeout_is_failure,
        no_reconciliation,
        processing_is_paid,
        corrections_ignored,
        known_types_only,
        endpoint_redirects,
        large_bodies_refused,
        two_decimals_everywhere,
    )
}

CORRECT = "correct"


def parts_of(shop: str) -> Parts:
    """Return what a shop is put together from: ``correct``, or the name of a mutant."""
    return Parts() if shop == CORRECT else MUTANTS[shop].parts


__all__ = ["CORRECT", "MUTANTS", "Mutant", "parts_of"]
