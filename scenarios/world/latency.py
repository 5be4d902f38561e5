"""How long things take: a profile turns one fraction in [0, 1) into a delay."""

from __future__ import annotations

from dataclasses import dataclass

MICROSECONDS = 1_000_000


@dataclass(frozen=True, slots=True)
class LatencyProfile:
    """Uniform from ``low_s`` to ``high_s``; a share of ``tail_share`` is log-uniform in the tail.

    Uniform jitter alone finds only the shallowest races; a heavy tail lets one piece of work run
    whole between two neighbouring steps of another.
    """

    low_s: float = 0.0
    high_s: float = 0.0
    tail_share: float = 0.0
    tail_low_s: float = 0.01
    tail_high_s: float = 100.0

    def delay_us(self, fraction: float) -> int:
        """Return the delay in microseconds for a fraction in [0, 1)."""
        if fraction < self.tail_share:
            ratio = self.tail_high_s / self.tail_low_s
            return int(self.tail_low_s * ratio ** (fraction / self.tail_share) * MICROSECONDS)
        position = (fraction - self.tail_share) / (1.0 - self.tail_share)
        return int((self.low_s + (self.high_s - self.low_s) * position) * MICROSECONDS)

    @property
    def is_instant(self) -> bool:
        """Whether every delay is zero, so that there is nothing to wait for."""
        return self.high_s == 0.0 and self.tail_share == 0.0


NONE = LatencyProfile()
TINY = LatencyProfile(low_s=0.0, high_s=0.001)
HEAVY = LatencyProfile(low_s=0.0, high_s=0.005, tail_share=0.1)
LOCAL_NETWORK = LatencyProfile(low_s=0.001, high_s=0.003)
