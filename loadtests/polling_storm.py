"""Pollers: those who ask the provider again and again, in the ways that its API offers.

From the environment: ``LOAD_PSP``, ``LOAD_PSP_KEY``, and what ``control_faults.kinds_here`` reads.
"""

from __future__ import annotations

import os
import random
from typing import Any

from locust import FastHttpUser, between, task

from loadtests.control_faults import kinds_here
from loadtests.lost_answers import is_forgiven, poll_timeout_s

PAGE = 50
KINDS = kinds_here()
# Waiting for what a fault has taken away says nothing about the provider: a row of its own.
LOST = "no answer, by a fault"


class Poller(FastHttpUser):
    """Follows the event log, and reads payments that it met there."""

    weight = int(os.environ.get("LOAD_POLLERS", "1"))
    host = os.environ.get("LOAD_PSP")
    wait_time = between(0.01, 0.1)
    # Slow answers show in the percentiles; no answer at all is a failure, unless it was to be lost.
    connection_timeout = 30.0
    network_timeout = poll_timeout_s(KINDS)

    def on_start(self) -> None:
        """Begin at the start of the log."""
        self.headers = {"authorization": f"Bearer {os.environ.get('LOAD_PSP_KEY', '')}"}
        self.after = "0"
        self.tags: dict[str, str] = {}

    @task(3)
    def follow_events(self) -> None:
        """Read the next page of the log."""
        page = self._get(f"/v1/events?limit={PAGE}&after={self.after}", "/v1/events?after")
        if page is None:
            return
        self.after = page["next"] or self.after
        for event in page["data"]:
            self.tags.setdefault(event["data"]["id"], "")

    @task(5)
    def read_payment(self) -> None:
        """Read a payment, with the tag of the last time: 304 while nothing is new."""
        if not self.tags:
            self.follow_events()
        else:
            self._read_tagged(random.choice(list(self.tags)))

    @task(1)
    def list_payments(self) -> None:
        """Read a page of what has succeeded."""
        self._get(f"/v1/payments?status=succeeded&limit={PAGE}", "/v1/payments?status")

    def _read_tagged(self, payment_id: str) -> None:
        path, sent = f"/v1/payments/{payment_id}", dict(self.headers)
        if self.tags[payment_id]:
            sent["if-none-match"] = self.tags[payment_id]
        with self.client.get(
            path, headers=sent, name="/v1/payments/{id}", catch_response=True
        ) as answer:
            if answer.status_code == 200:
                self.tags[payment_id] = answer.headers["etag"]
            elif answer.status_code != 304:
                _judge(answer, "neither 200 nor 304")

    def _get(self, path: str, name: str) -> Any:
        with self.client.get(path, headers=self.headers, name=name, catch_response=True) as answer:
            if answer.status_code == 200:
                return answer.json()
            _judge(answer, "not 200")
            return None


def _judge(answer: Any, wanted: str) -> None:
    """Count an answer that is none of those wanted as a fault's doing, or as a failure."""
    if not is_forgiven(answer.status_code, _code(answer), KINDS):
        answer.failure(f"status {answer.status_code}, {wanted}")
        return
    if not answer.status_code:
        answer.request_meta["name"] = LOST
    answer.success()


def _code(answer: Any) -> object:
    try:
        return answer.json().get("code")
    except (ValueError, TypeError, AttributeError):  # no JSON, nothing at all, no object
        return None
