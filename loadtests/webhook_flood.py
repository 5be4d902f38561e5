"""Webhook senders: genuine, freshly signed events straight at any consumer, as fast as it takes.

From the environment: ``LOAD_WEBHOOK_URL``, ``LOAD_WEBHOOK_SECRET``, and ``LOAD_WEBHOOK_DIALECT``,
one of ``signing.DIALECTS``; ``LOAD_ALLOW_PUBLIC_TARGETS=yes`` lets them go anywhere.
"""

from __future__ import annotations

import json
import os
import random
import sys
import time
from urllib.parse import urlsplit

from locust import FastHttpUser, constant, task

from loadtests.arguments import WrongUsage
from loadtests.invented_events import event_body
from loadtests.signing import Letter, sign
from loadtests.silence import NO_ANSWER
from loadtests.target_address import check_target

URL = os.environ.get("LOAD_WEBHOOK_URL", "")
if URL:
    try:
        check_target(URL, allow_public=os.environ.get("LOAD_ALLOW_PUBLIC_TARGETS") == "yes")
    except WrongUsage as refusal:
        sys.exit(f"webhooks: {refusal}")
# Like any provider's: some facts are told twice, under the same id.
REPEATED_SHARE = 0.1


class WebhookSender(FastHttpUser):
    """Sends one event after the other; everything but 2xx is a failure."""

    host = "{0.scheme}://{0.netloc}".format(urlsplit(URL)) if URL else None
    wait_time = constant(0)
    # Slow answers show in the percentiles; no answer at all is a failure.
    connection_timeout = 30.0
    network_timeout = 30.0

    def on_start(self) -> None:
        """Read how to sign."""
        self.dialect = os.environ.get("LOAD_WEBHOOK_DIALECT", "standard")
        self.secret = os.environ["LOAD_WEBHOOK_SECRET"]
        self.last_body = event_body()

    @task
    def send(self) -> None:
        """Send a new event, or the last one again."""
        if random.random() >= REPEATED_SHARE:
            self.last_body = event_body()
        event = json.loads(self.last_body)
        letter = Letter(event["id"], event["type"], int(time.time()), URL, self.last_body)
        headers, body = sign(self.dialect, self.secret, letter)
        # No redirect is followed: no provider does, and it could lead to anybody.
        with self.client.post(
            URL,
            data=body.decode(),
            headers=headers,
            name="webhook",
            catch_response=True,
            allow_redirects=False,
        ) as answer:
            if not answer.status_code:
                answer.failure(f"{NO_ANSWER}{answer.error}")
            elif not 200 <= answer.status_code < 300:
                answer.failure(f"status {answer.status_code}, not 2xx")
