"""What a check is, and what it found."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import StrEnum

from psp_sim.domain.dialects.dialect import Dialect
from scenarios.probe.compose import Composer
from scenarios.probe.endpoint import Answer, Endpoint


class Finding(StrEnum):
    """What a check says. Unknown: it was not put to the test, so there is no credit for it."""

    PASS = "pass"  # noqa: S105 - a verdict, not a password
    FAIL = "fail"
    UNKNOWN = "unknown"


@dataclass(slots=True)
class Bench:
    """What checks work with. ``limit_s`` is how long a provider waits for an answer.

    ``first`` is the answer to the very first genuine webhook.
    """

    endpoint: Endpoint
    composer: Composer
    limit_s: float
    first: Answer | None = None

    async def genuine(self) -> Answer:
        """Send a webhook that nothing is wrong with."""
        return await self.endpoint.send(self.composer.signed(self.composer.draft()))


Outcome = tuple[Finding, str]


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that an endpoint has to get right.

    ``left_out`` gives the reason why a dialect has no such case, or None.
    """

    name: str
    expected: str
    why: str
    fix: str
    run: Callable[[Bench], Awaitable[Outcome]]
    left_out: Callable[[Dialect], str | None] = lambda _: None


@dataclass(frozen=True, slots=True)
class Checked:
    """A check with what came of it; ``got`` is what the endpoint did, in a few words."""

    check: Check
    finding: Finding
    got: str


@dataclass(frozen=True, slots=True)
class Probed:
    """All that a probe found. ``left_out`` names checks that the dialect has no case for."""

    url: str
    dialect: str
    checks: tuple[Checked, ...]
    left_out: dict[str, str]
    calls: int

    @property
    def score(self) -> int:
        """How many checks of a hundred were passed."""
        passed = sum(each.finding is Finding.PASS for each in self.checks)
        return round(100 * passed / len(self.checks))


def accepted(answer: Answer) -> Outcome:
    """Judge the answer to something that has to be accepted."""
    return (Finding.PASS if answer.is_success else Finding.FAIL), str(answer)


def all_accepted(answers: dict[str, Answer]) -> Outcome:
    """Judge several such answers by what each was to; the first bad one is told."""
    for what, answer in answers.items():
        if not answer.is_success:
            return Finding.FAIL, f"{what}: {answer}"
    return Finding.PASS, ", ".join(sorted({str(answer) for answer in answers.values()}))


def refused(answer: Answer) -> Finding:
    """Judge the answer to something that has to be refused.

    A 429 says nothing about what was sent, so it is no refusal.
    """
    if answer.status == 429:
        return Finding.UNKNOWN
    return Finding.PASS if answer.is_refusal else Finding.FAIL
