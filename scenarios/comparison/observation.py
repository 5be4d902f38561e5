"""What one run of one strategy showed, as plain values: nothing here is interpreted yet."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PaymentSeen:
    """One order's payment. Times in seconds from the first customer's door opening.

    ``learnt_s`` is None while the shop does not know; ``source`` is how it came to know.
    """

    placed_s: float
    settled_s: float
    learnt_s: float | None
    source: str | None


@dataclass(frozen=True, slots=True)
class Sample:
    """A look at the shop's counters while it works."""

    at_s: float
    requests: int
    webhooks: int
    held: int


@dataclass(frozen=True, slots=True)
class Counters:
    """The shop's counters of one kind of request, over the whole run."""

    requests: int
    useless: int
    not_modified: int
    failed: int


@dataclass(frozen=True, slots=True)
class Observation:
    """A whole run: ``ended_s`` is when watching stopped, ``busy_s`` when the last payment came.

    ``shop_started_s`` is None where nobody can tell to the millisecond.
    """

    payments: tuple[PaymentSeen, ...]
    samples: tuple[Sample, ...]
    by_kind: Mapping[str, Counters]
    busy_s: float
    ended_s: float
    fired: Mapping[str, int]
    attempts_lost: int
    shop_started_s: float | None = None
