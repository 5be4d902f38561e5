"""All checks, one after the other, on one endpoint."""

from __future__ import annotations

from collections.abc import Callable

from scenarios.errors import Unreachable
from scenarios.probe.acceptance import ACCEPTANCE, GENUINE, OF_THE_FIRST_ANSWER
from scenarios.probe.check import Bench, Check, Checked, Finding, Probed
from scenarios.probe.compose import Composer
from scenarios.probe.endpoint import Endpoint
from scenarios.probe.refusals import REFUSALS

CHECKS = (GENUINE, *OF_THE_FIRST_ANSWER, *ACCEPTANCE, *REFUSALS)
NOT_THERE = (404, 405)

# How long each provider waits, in seconds, as far as it says so; DEFAULT_LIMIT_S where it does not.
LIMITS_S = {"standard": 15.0, "standard-v1a": 15.0, "adyen": 10.0, "square": 10.0}
LIMITS_S |= {"shopify": 5.0, "github": 10.0}
DEFAULT_LIMIT_S = 10.0


async def run_probe(
    endpoint: Endpoint,
    composer: Composer,
    limit_s: float,
    on_check: Callable[[Checked], None] = lambda _: None,
) -> Probed:
    """Put every check that the dialect has a case for to the endpoint; tell each as it is known.

    Raises Unreachable if nothing answers at all, or nothing is at this path.
    """
    bench = Bench(endpoint, composer, limit_s)
    reasons = {check.name: check.left_out(composer.dialect) for check in CHECKS}
    done: list[Checked] = []
    for check in CHECKS:
        if reasons[check.name] is None:
            done.append(await _checked(bench, check))
            on_check(done[-1])
    left_out = {name: reason for name, reason in reasons.items() if reason is not None}
    return Probed(endpoint.url, composer.dialect.name, tuple(done), left_out, endpoint.calls)


async def _checked(bench: Bench, check: Check) -> Checked:
    can_tell = check is GENUINE or check in OF_THE_FIRST_ANSWER
    if not can_tell and bench.first is not None and not bench.first.is_success:
        got = f"not tried: the first genuine call got {bench.first}"
        return Checked(check, Finding.UNKNOWN, got)
    finding, got = await check.run(bench)
    if check is GENUINE and bench.first is not None and bench.first.status in NOT_THERE:
        raise Unreachable(
            f"{bench.endpoint.url} answered {bench.first.status} to a genuine webhook: "
            "is this the path of the endpoint?"
        )
    return Checked(check, finding, got)
