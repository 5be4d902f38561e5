"""``polling+backoff``: every open order comes out again and again, ever more seldom."""

from __future__ import annotations

import math

from shop.parts import Parts
from shop.ports import Shop
from shop.settings import Settings
from shop.tracking.polling import polling_workers
from shop.workers import Work


def workers(shop: Shop, parts: Parts) -> list[Work]:
    """Ask about each open order; corrections of settled ones come from the event log."""
    settings = shop.settings
    return polling_workers(
        shop,
        parts,
        first_after_s=settings.polling_first_delay_s,
        delay_after_check=lambda checks: delay_after_check_s(settings, checks),
    )


def delay_after_check_s(settings: Settings, checks: int) -> float:
    """Seconds after the ``checks``-th question: the first delay, times the factor each time."""
    first_s, factor = settings.polling_first_delay_s, settings.polling_factor
    cap_s = settings.polling_delay_cap_s
    # Compared as logarithms: the power itself may be too large for a float.
    if first_s >= cap_s or checks * math.log(factor) >= math.log(cap_s / first_s):
        return cap_s
    return first_s * factor**checks
