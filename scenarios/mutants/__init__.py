"""Deliberately broken shops, one per file: each differs from the correct one in a single part.

They prove that the scenarios can fail. The correct shop is not among them.
"""

from scenarios.mutants import (
    acknowledge_before_storing,
    check_then_act_dedupe,
    dedupe_by_payment,
    dedupe_in_memory,
    event_id_only_dedupe,
    marked_before_effect,
    new_key_per_retry,
    newest_secret_only,
    no_dedupe,
    no_reconciliation,
    no_signature_check,
    no_time_window,
    out_of_order_overwrite,
    past_only_time_window,
    timeout_is_failure,
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
        no_time_window,
        past_only_time_window,
        newest_secret_only,
        new_key_per_retry,
        timeout_is_failure,
        no_reconciliation,
    )
}

CORRECT = "correct"


def parts_of(shop: str) -> Parts:
    """Return what a shop is put together from: ``correct``, or the name of a mutant."""
    return Parts() if shop == CORRECT else MUTANTS[shop].parts


__all__ = ["CORRECT", "MUTANTS", "Mutant", "parts_of"]
