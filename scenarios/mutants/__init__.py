"""Deliberately broken shops, one per file: each differs from the correct one in a single part.

They prove that the scenarios can fail. The correct shop is not among them.
"""

from scenarios.mutants import (
    abandoned_baskets_deleted,
    acknowledge_before_storing,
    amount_not_compared,
    answer_written_late,
    asker_ships_too,
    check_then_act_dedupe,
    claim_without_end,
    corrections_ignored,
    dedupe_by_payment,
    dedupe_in_memory,
    endpoint_redirects,
    errors_swallowed,
    event_id_only_dedupe,
    event_time_window,
    forgets_after_minutes,
    key_from_basket,
    known_types_only,
    large_bodies_refused,
    last_hour_only,
    late_failure_wins,
    lock_expires,
    marked_before_effect,
    new_key_per_retry,
    newest_call_wins,
    newest_secret_only,
    no_dedupe,
    no_reconciliation,
    no_signature_check,
    no_time_window,
    order_found_by_payment,
    order_named_in_metadata,
    out_of_order_overwrite,
    partial_refund_is_full,
    past_only_time_window,
    processing_is_paid,
    queue_blocked,
    refund_with_new_key,
    refunds_are_final,
    registers_and_forgets,
    repeats_old_requests,
    ships_before_commit,
    tight_time_window,
    timeout_is_failure,
    two_decimals_everywhere,
    two_secrets_only,
    unreadable_signature_crashes,
    unsigned_is_fine,
    verifies_reserialised_json,
    warehouse_error_swallowed,
    watermark_in_seconds,
    works_before_answering,
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
        forgets_after_minutes,
        dedupe_by_payment,
        event_id_only_dedupe,
        marked_before_effect,
        errors_swallowed,
        warehouse_error_swallowed,
        acknowledge_before_storing,
        works_before_answering,
        out_of_order_overwrite,
        watermark_in_seconds,
        newest_call_wins,
        late_failure_wins,
        amount_not_compared,
        order_named_in_metadata,
        no_signature_check,
        verifies_reserialised_json,
        no_time_window,
        past_only_time_window,
        event_time_window,
        tight_time_window,
        unsigned_is_fine,
        newest_secret_only,
        two_secrets_only,
        unreadable_signature_crashes,
        order_found_by_payment,
        asker_ships_too,
        new_key_per_retry,
        key_from_basket,
        timeout_is_failure,
        repeats_old_requests,
        no_reconciliation,
        registers_and_forgets,
        answer_written_late,
        abandoned_baskets_deleted,
        last_hour_only,
        refund_with_new_key,
        processing_is_paid,
        corrections_ignored,
        refunds_are_final,
        partial_refund_is_full,
        known_types_only,
        queue_blocked,
        endpoint_redirects,
        large_bodies_refused,
        two_decimals_everywhere,
        ships_before_commit,
        lock_expires,
        claim_without_end,
    )
}

CORRECT = "correct"


def parts_of(shop: str) -> Parts:
    """Return what a shop is put together from: ``correct``, or the name of a mutant."""
    return Parts() if shop == CORRECT else MUTANTS[shop].parts


__all__ = ["CORRECT", "MUTANTS", "Mutant", "parts_of"]
