"""Answers each webhook with the address at which it really lives.

People write: a route with a slash at its end, registered without it, or a site that sends
everybody to https; browsers never notice.
Breaks because senders of webhooks do not follow redirects: to them a 3xx is a failure.
Shows as a 3xx to genuine calls, an endpoint that is disabled in the end, and orders that only
reconciliation finds.
"""

from __future__ import annotations

from collections.abc import Sequence

from scenarios.mutants.mutant import Mutant
from shop.domain.errors import RequestRefused
from shop.domain.webhook_signature import SignedWebhook
from shop.parts import Parts


class Moved(RequestRefused):
    """The webhook's path has a slash at its end."""

    code, status = "moved", 308


def send_elsewhere(
    _webhook: SignedWebhook, _secrets: Sequence[str], *, now: float, tolerance_s: float
) -> None:
    """Redirect before anything else, as a router does."""
    del now, tolerance_s
    raise Moved("the path ends with a slash")


MUTANT = Mutant(
    "endpoint_redirects",
    "M45",
    "answers webhooks with a redirect, which their sender does not follow",
    Parts(verify_webhook=send_elsewhere),
)
