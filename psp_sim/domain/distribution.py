"""How long a delay is: a fixed time, or a draw from a named distribution."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from psp_sim.domain.duration import DURATION_S_MAX, parse_duration

_Draw = Callable[[random.Random, Mapping[str, float]], float]

# Name of the distribution → its parameters (seconds, except the bare numbers) and how to draw.
DISTRIBUTIONS: dict[str, tuple[tuple[str, ...], _Draw]] = {
    "fixed": (("value",), lambda _, p: p["value"]),
    "uniform": (("minimum", "maximum"), lambda r, p: r.uniform(p["minimum"], p["maximum"])),
    "normal": (("mean", "deviation"), lambda r, p: r.gauss(p["mean"], p["deviation"])),
    "lognormal": (
        ("median", "sigma"),
        lambda r, p: r.lognormvariate(math.log(max(p["median"], 1e-9)), p["sigma"]),
    ),
    "exponential": (("mean",), lambda r, p: r.expovariate(1 / max(p["mean"], 1e-9))),
    "pareto": (("minimum", "alpha"), lambda r, p: p["minimum"] * r.paretovariate(p["alpha"])),
}
_BARE_NUMBERS = ("sigma", "alpha")


@dataclass(frozen=True, slots=True)
class Delay:
    """A named distribution with its parameters."""

    distribution: str
    parameters: tuple[tuple[str, float], ...]

    def draw(self, source: random.Random) -> float:
        """Return seconds, never negative and never more than the longest duration."""
        _, draw = DISTRIBUTIONS[self.distribution]
        try:
            drawn = draw(source, dict(self.parameters))
        except OverflowError:  # the far end of a heavy tail
            return DURATION_S_MAX
        return min(max(0.0, drawn), DURATION_S_MAX)

    def draw_from(self, source: Callable[[], random.Random]) -> float:
        """Return seconds; ``source`` is asked for a generator, which is dear, only if needed."""
        if self.distribution == "fixed":
            return min(max(0.0, self.parameters[0][1]), DURATION_S_MAX)
        return self.draw(source())


def fixed(seconds: float) -> Delay:
    """Return a delay that is always the same."""
    return Delay("fixed", (("value", seconds),))


def parse_delay(value: object) -> Delay:
    """Read ``"5s"`` or ``{distribution = "lognormal", median = "1s", sigma = 0.5}``.

    Raises ValueError with a sentence that names what is allowed.
    """
    if not isinstance(value, Mapping):
        return fixed(parse_duration(value))
    name = value.get("distribution")
    if not isinstance(name, str) or name not in DISTRIBUTIONS:
        raise ValueError(f"{name!r} is not a distribution: use one of {', '.join(DISTRIBUTIONS)}")
    wanted, _ = DISTRIBUTIONS[name]
    given = set(value) - {"distribution"}
    if given != set(wanted):
        raise ValueError(f"the distribution {name} takes exactly {' and '.join(wanted)}")
    parameters = {key: _parameter(key, value[key]) for key in wanted}
    if name == "uniform" and parameters["minimum"] > parameters["maximum"]:
        raise ValueError("the minimum is above the maximum")
    return Delay(name, tuple(parameters.items()))


def _parameter(key: str, value: object) -> float:
    if key not in _BARE_NUMBERS:
        return parse_duration(value)
    if isinstance(value, int | float) and not isinstance(value, bool) and 0 < value < float("inf"):
        return float(value)
    raise ValueError(f"{key} is a number above 0, not {value!r}")
