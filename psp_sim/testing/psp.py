"""What a test holds: a running provider, to be paid at, spoilt, and asked what it did."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx

from psp_sim.domain.errors import InvalidRequest
from psp_sim.domain.event_filter import check_type

PATIENCE_S = 10.0
# The provider is in this very process: no answer means that the machine stands still.
ANSWERS_WITHIN_S = 60.0
LOOK_EVERY_S = 0.02
PAGE = 100
# What a delivery never leaves again.
GIVEN_UP = ("exhausted", "cancelled")


class Refused(Exception):
    """The provider did not take a request; its text says what to change."""


class NotDelivered(AssertionError):
    """Something that the provider had to tell has not been delivered; the text tells what."""


@dataclass(slots=True)
class ActiveFault:
    """A fault in force; ``fired`` counts how often it has acted, up to date on each look."""

    id: str
    kind: str
    _psp: Psp
    _last_fired: int = 0

    @property
    def fired(self) -> int:
        """How often it has acted; after the end of its block, how often it had."""
        for fault in self._psp.request("GET", "/_control/faults")["data"]:
            if fault["id"] == self.id:
                self._last_fired = int(fault["fired"])
        return self._last_fired


class Psp:
    """One provider, for one test. ``client`` talks to it for whatever has no method here.

    Methods block for as long as one request on this machine takes; waiting for deliveries has a
    form for each kind of test: ``wait_until_delivered`` and ``await until_delivered``.
    """

    def __init__(self, url: str, api_key: str, signing_secret: str | None = None) -> None:
        self.url = url
        self.api_key = api_key
        self.client = httpx.Client(
            base_url=url,
            headers={"authorization": f"Bearer {api_key}"},
            timeout=ANSWERS_WITHIN_S,
            trust_env=False,
        )
        self._signing_secret = signing_secret
        self._number = 0

    @property
    def signing_secret(self) -> str:
        """The secret of the endpoint that was registered last, or else of ``webhook_url``.

        Raises Refused if there is none.
        """
        if self._signing_secret is None:
            raise Refused("there is no secret before an endpoint: call psp.register(url) first")
        return self._signing_secret

    def request(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        """Return the decoded answer to a request. Raises Refused with the provider's reason."""
        answer = self.client.request(method, path, json=body, headers=headers)
        document = answer.json()
        if answer.is_error:
            raise Refused(f"{method} {path}: {document.get('detail', document)}")
        return document

    def register(self, url: str, **fields: Any) -> dict[str, Any]:
        """Have webhooks sent to a URL, where nobody needs to listen yet; return the endpoint.

        ``fields``: ``dialect``, ``events``, ``retry_schedule``. Raises Refused.
        """
        endpoint: dict[str, Any] = self.request(
            "POST", "/v1/webhook_endpoints", {"url": url, **fields}
        )
        self._signing_secret = endpoint["secret"]
        return endpoint

    def pay(
        self, amount: int = 1099, currency: str = "EUR", *, reference: str, **fields: Any
    ) -> dict[str, Any]:
        """Create a payment of ``amount`` minor units for an order. Raises Refused."""
        self._number += 1
        body = {"amount": amount, "currency": currency, "reference": reference, **fields}
        key = {"idempotency-key": f"pytest-{self._number}"}
        payment: dict[str, Any] = self.request("POST", "/v1/payments", body, **key)
        return payment

    @contextmanager
    def fault(self, kind: str, **fields: Any) -> Iterator[ActiveFault]:
        """Let a fault happen inside the block: ``with psp.fault("duplicate", copies=2):``.

        Kinds and fields are those of the provider's fault vocabulary. Raises Refused.
        """
        [installed] = self.request("POST", "/_control/faults", {"kind": kind, **fields})["data"]
        active = ActiveFault(installed["id"], kind, self)
        try:
            yield active
        finally:
            _ = active.fired  # the last count, before the fault is gone
            self.client.delete(f"/_control/faults/{active.id}")

    def payments(self) -> list[dict[str, Any]]:
        """Return every payment as the provider's API shows it."""
        return self._all("/v1/payments")

    def events(self) -> list[dict[str, Any]]:
        """Return every event, oldest first."""
        return self._all("/v1/events")

    def deliveries(self, type: str | None = None) -> list[dict[str, Any]]:  # noqa: A002
        """Return deliveries with their attempts, oldest first; of one type of event, or all.

        Raises Refused if there is no such type: that none was delivered would prove nothing.
        """
        try:
            check_type(type)
        except InvalidRequest as problem:
            raise Refused(f"deliveries: {problem}") from problem
        endpoints = self._all("/v1/webhook_endpoints")
        found = [
            delivery
            for endpoint in endpoints
            for delivery in self._all(f"/v1/webhook_endpoints/{endpoint['id']}/deliveries")
        ]
        return [delivery for delivery in found if type in (None, delivery["type"])]

    def wait_until_delivered(self, timeout_s: float = PATIENCE_S) -> list[dict[str, Any]]:
        """Block until every payment has its outcome and all news of it was accepted.

        Return the deliveries. Raises NotDelivered, telling what each attempt got.
        """
        until = time.monotonic() + timeout_s
        while (waiting_for := self._waiting_for()) is not None:
            self._give_up_or_go_on(until, waiting_for)
            time.sleep(LOOK_EVERY_S)
        return self.deliveries()

    async def until_delivered(self, timeout_s: float = PATIENCE_S) -> list[dict[str, Any]]:
        """Do the same in an asynchronous test, whose event loop goes on working meanwhile."""
        until = time.monotonic() + timeout_s
        while (waiting_for := self._waiting_for()) is not None:
            self._give_up_or_go_on(until, waiting_for)
            await asyncio.sleep(LOOK_EVERY_S)
        return self.deliveries()

    def _all(self, path: str) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = []
        cursor = ""
        while True:
            page = self.request("GET", f"{path}?limit={PAGE}{cursor}")
            rows += page["data"]
            if page["next"] is None:
                return rows
            cursor = f"&after={page['next']}"

    def _waiting_for(self) -> str | None:
        """Say what is still to come, None if nothing is. Raises NotDelivered if it never will."""
        payments = self.payments()
        if not payments:
            return "no payment was made"
        open_ones = [p["reference"] for p in payments if p["status"] == "processing"]
        if open_ones:
            return f"the payments for {', '.join(open_ones)} have no outcome yet"
        deliveries = self.deliveries()
        if not deliveries:
            return "no endpoint is registered for what happened: call psp.register(url)"
        lost = [each for each in deliveries if each["state"] in GIVEN_UP]
        if lost:
            raise NotDelivered(f"the provider has given up: {_told(lost)}")
        late = [each for each in deliveries if each["state"] != "delivered"]
        return _told(late) if late else None

    def _give_up_or_go_on(self, until: float, waiting_for: str) -> None:
        if time.monotonic() > until:
            raise NotDelivered(waiting_for)


def _told(deliveries: list[dict[str, Any]]) -> str:
    return "; ".join(_told_one(delivery) for delivery in deliveries)


def _told_one(delivery: Mapping[str, Any]) -> str:
    got = [str(each["status"] or each["error"]) for each in delivery["attempts"]]
    what = ", then ".join(got) if got else "no attempt so far"
    return f"{delivery['type']} is {delivery['state']} ({what})"
