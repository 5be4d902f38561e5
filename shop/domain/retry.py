"""When to try again: the number of failed attempts comes in, a delay goes out."""

from __future__ import annotations


def delay_after(attempts: int, *, first_s: float, cap_s: float) -> float:
    """Seconds to wait after the ``attempts``-th failure: first_s, then doubled up to cap_s."""
    doublings = min(max(attempts, 1) - 1, 60)
    return min(first_s * float(2**doublings), cap_s)
