"""Who was late while others ran beside it is looked at again alone.

Services that run side by side on a busy machine make each other late. A service that is late by
itself is late alone as well; once one run has shown that, the others stand as they are.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from scenarios.verdict import ScenarioResult, Verdict

BY_THE_CLOCK = ("answered_in_time", "acknowledged_is_acted_on", "acknowledged_survives_a_crash")


def looked_at_alone(
    results: Sequence[ScenarioResult], play_alone: Callable[[str], ScenarioResult]
) -> list[ScenarioResult]:
    """Return the results, those replaced that broke nothing but a deadline and held when alone."""
    looked_at: list[ScenarioResult] = []
    is_late_by_itself = False
    for result in results:
        again = None
        if _was_only_late(result) and not is_late_by_itself:
            again = play_alone(result.name)
            is_late_by_itself = again.verdict is Verdict.BROKEN
        looked_at.append(again if again and again.verdict is Verdict.HELD else result)
    return looked_at


def _was_only_late(result: ScenarioResult) -> bool:
    broken = [each.name for each in result.invariants if each.verdict is Verdict.BROKEN]
    return bool(broken) and all(name in BY_THE_CLOCK for name in broken)
