"""What each route of ``/v1`` is for, takes and answers: the facts that routing does not know."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from psp_sim import http_models as models
from psp_sim.domain import errors
from psp_sim.domain.errors import PspError
from psp_sim.domain.event_filter import KNOWN_TYPES
from psp_sim.domain.payment import Status
from psp_sim.http_endpoints import ChangeEndpoint, CreateEndpoint, Recover, RotateSecret
from psp_sim.http_query import WAIT_S_MAX

# Query parameter → its schema.
_CURSOR = {"after": {"type": "string", "description": "The value of `next` of the page before"}}
_LIMIT = {"limit": {"type": "integer", "minimum": 1, "maximum": 100, "default": 20}}
_PAGE = _CURSOR | _LIMIT
_TIME = {"type": "string", "format": "date-time"}
_WAIT = {
    "wait": {
        "type": "number",
        "minimum": 0,
        "maximum": WAIT_S_MAX,
        "description": "Hold the answer for up to so many seconds until there is something",
    }
}
_SEEN = {"after": {"type": "string", "description": "A cursor, or the id of the last event seen"}}


@dataclass(frozen=True, slots=True)
class Described:
    """One operation. ``answer`` None stands for an event stream."""

    summary: str
    answer: Any
    status: int = 200
    body: Any = None
    query: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    headers: tuple[str, ...] = ()
    needs_key: bool = False
    takes_key: bool = False
    errors: tuple[type[PspError], ...] = ()
    more_statuses: Mapping[int, str] = field(default_factory=dict)


_PAYMENT_BODY = (errors.InvalidAmount, errors.UnknownCurrency, errors.InvalidFault)
_ON_PAYMENT = (errors.InvalidRequest, errors.NotFound, errors.InvalidState)
_ENDPOINT = "/v1/webhook_endpoints/{endpoint_id}"

DESCRIBED: dict[str, Described] = {
    "POST /v1/payments": Described(
        "Make a payment",
        models.Payment,
        201,
        models.CreatePayment,
        needs_key=True,
        errors=(errors.InvalidRequest, *_PAYMENT_BODY),
    ),
    "GET /v1/payments": Described(
        "List payments, oldest first",
        models.PaymentPage,
        query={
            "reference": {"type": "string"},
            "status": {"type": "string", "enum": [status.value for status in Status]},
            "created_from": _TIME,
            "created_before": _TIME,
            **_PAGE,
        },
        errors=(errors.InvalidRequest,),
    ),
    "GET /v1/payments/{payment_id}": Described(
        "Read a payment, or wait until it has news",
        models.Payment,
        query={
            **_WAIT,
            "after_sequence": {
                "type": "integer",
                "minimum": 0,
                "description": "With `wait`: hold the answer until `sequence` is above this",
            },
        },
        headers=("If-None-Match",),
        errors=(errors.InvalidRequest, errors.NotFound),
        more_statuses={304: "Not changed since the ETag in If-None-Match"},
    ),
    "POST /v1/payments/{payment_id}/capture": Described(
        "Take money that is held, or a part of it; the rest is let go",
        models.Payment,
        body=models.CapturePayment,
        needs_key=True,
        errors=(*_ON_PAYMENT, errors.InvalidAmount),
    ),
    "POST /v1/payments/{payment_id}/cancel": Described(
        "Give up a payment of which no money was taken",
        models.Payment,
        body=models.CancelPayment,
        needs_key=True,
        errors=_ON_PAYMENT,
    ),
    "POST /v1/payments/{payment_id}/authenticate": Described(
        "Approve or refuse in the place of who pays",
        models.Payment,
        body=models.AuthenticatePayment,
        needs_key=True,
        errors=_ON_PAYMENT,
    ),
    "POST /v1/refunds": Described(
        "Send money of a payment back",
        models.Refund,
        201,
        models.CreateRefund,
        needs_key=True,
        errors=(*_ON_PAYMENT, errors.InvalidAmount),
    ),
    "GET /v1/refunds": Described(
        "List refunds, oldest first",
        models.RefundPage,
        query={"payment": {"type": "string"}, **_PAGE},
        errors=(errors.InvalidRequest,),
    ),
    "GET /v1/refunds/{refund_id}": Described(
        "Read a refund", models.Refund, errors=(errors.NotFound,)
    ),
    "GET /v1/events": Described(
        "List events, oldest first, or wait for the next",
        models.EventPage,
        query={
            "payment": {"type": "string"},
            "type": {"type": "string", "enum": list(KNOWN_TYPES)},
            **_SEEN,
            **_LIMIT,
            **_WAIT,
        },
        errors=(errors.InvalidRequest,),
    ),
    "GET /v1/events/stream": Described(
        "Follow events as they happen (server-sent events)",
        None,
        query=_SEEN,
        headers=("Last-Event-ID",),
        errors=(errors.InvalidRequest,),
    ),
    "GET /v1/events/{event_id}": Described(
        "Read an event as webhooks carry it", models.Event, errors=(errors.NotFound,)
    ),
    "POST /v1/webhook_endpoints": Described(
        "Register a URL for webhooks; the answer carries the secret, this once",
        models.Endpoint,
        201,
        CreateEndpoint,
        takes_key=True,
        errors=(errors.InvalidRequest, errors.InvalidUrl),
    ),
    "GET /v1/webhook_endpoints": Described(
        "List endpoints",
        models.EndpointPage,
        query=_PAGE,
        errors=(errors.InvalidRequest,),
    ),
    f"GET {_ENDPOINT}": Described("Read an endpoint", models.Endpoint, errors=(errors.NotFound,)),
    f"DELETE {_ENDPOINT}": Described(
        "Delete an endpoint; what is on its way to it is cancelled",
        models.Deleted,
        errors=(errors.NotFound,),
    ),
    f"POST {_ENDPOINT}/rotate_secret": Described(
        "Make a new secret; the one so far signs beside it during the overlap",
        models.Endpoint,
        body=RotateSecret,
        takes_key=True,
        errors=(errors.InvalidRequest, errors.NotFound),
    ),
    f"GET {_ENDPOINT}/deliveries": Described(
        "List deliveries with their attempts",
        models.DeliveryPage,
        query=_PAGE,
        errors=(errors.InvalidRequest, errors.NotFound),
    ),
    f"PATCH {_ENDPOINT}": Described(
        "Change where, about what, or how often webhooks are sent",
        models.Endpoint,
        body=ChangeEndpoint,
        errors=(errors.InvalidRequest, errors.InvalidUrl, errors.NotFound),
    ),
    f"POST {_ENDPOINT}/enable": Described(
        "Send to an endpoint again", models.Endpoint, errors=(errors.NotFound,)
    ),
    f"POST {_ENDPOINT}/test": Described(
        "Send a signed test event now", models.Tested, errors=(errors.NotFound,)
    ),
    f"POST {_ENDPOINT}/recover": Described(
        "Deliver what never got there",
        models.Recovered,
        body=Recover,
        errors=(errors.InvalidRequest, errors.NotFound, errors.EndpointDisabled),
    ),
    "POST /v1/deliveries/{delivery_id}/redeliver": Described(
        "Attempt a delivery again, at once",
        models.Delivery,
        errors=(errors.NotFound, errors.EndpointDisabled),
    ),
}
