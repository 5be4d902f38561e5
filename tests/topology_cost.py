"""Processor time of services, busy and idle, comes in; a table of what an order cost goes out."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping

import psutil

# What starts is busy for a while.
SETTLE_S, IDLE_S = 2.0, 4.0
# The system counts processor time in ticks; one more or less while idle counts for the whole load.
TICK_S = 0.01


def processor_s(process_id: int) -> float:
    """Return what a process, its children, and those that have ended, have used."""
    used = 0.0
    with contextlib.suppress(psutil.NoSuchProcess):
        process = psutil.Process(process_id)
        times = process.cpu_times()
        used += sum((times.user, times.system, times.children_user, times.children_system))
        used += sum(processor_s(child.pid) for child in process.children())
    return used


def cost_lines(
    busy_s: Mapping[str, float], idle: Mapping[str, float], passed_s: float, orders: int
) -> list[str]:
    """Return a table: what each service used for an order, beyond what it uses anyway.

    ``idle`` is in seconds of processor a second. A cost that is smaller than the error of that says
    nothing, and is not told.
    """
    costs_s = {name: used - idle[name] * passed_s for name, used in busy_s.items()}
    noise_s = TICK_S * (1 + passed_s / IDLE_S)
    return [
        f"  {'':<14}{'an order':>12}{'an idle second':>18}",
        *(
            _line(name, cost_s, noise_s, orders, idle[name])
            for name, cost_s in sorted(costs_s.items(), key=lambda item: -item[1])
        ),
        _line("in all", sum(costs_s.values()), noise_s, orders, sum(idle.values())),
    ]


def _line(name: str, cost_s: float, noise_s: float, orders: int, idle: float) -> str:
    cost = f"{1000 * cost_s / max(1, orders):.1f} ms" if cost_s > noise_s else "within noise"
    return f"  {name:<14}{cost:>12}{1000 * idle:15.1f} ms"
