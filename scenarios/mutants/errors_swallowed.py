"""Answers 200 whatever happens: an error is logged, and that is that.

People write: ``try: handle(event) except Exception: log.exception(…)`` and return 200 below it, so
that "the provider does not disable the endpoint".
Breaks because the 200 says that the webhook needs not come again, and nothing has come of it.
Shows as an order that is paid for and stays pending, when the provider could not be asked at the
moment at which its webhook came.
"""

from __future__ import annotations

from scenarios.mutants.by_hand import handle_or_log
from scenarios.mutants.mutant import Mutant
from shop.parts import Parts

MUTANT = Mutant(
    "errors_swallowed",
    "M08",
    "answers 200 although handling the webhook failed: it never comes again",
    Parts(receive_webhook=handle_or_log),
)
