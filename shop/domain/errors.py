"""Every way in which the shop says no, each with a code, an HTTP status and a sentence.

ShopError
├── RequestRefused                 the caller has to change something
│   ├── MalformedRequest           400 malformed_request
│   ├── MalformedHttp              400 malformed_http
│   ├── BodyTooSlow                408 body_too_slow
│   ├── RequestTooSlow             408 request_too_slow
│   ├── HeadTooLarge               431 head_too_large
│   ├── BodyTooLarge               413 body_too_large
│   ├── InvalidOrder               422 invalid_order
│   ├── UnknownProduct             422 unknown_product
│   ├── MixedCurrencies            422 mixed_currencies
│   ├── OrderNotFound              404 order_not_found
│   ├── DeadLetterNotFound         404 dead_letter_not_found
│   ├── NotRefundable              409 not_refundable
│   ├── RefundTooLarge             422 refund_too_large
│   ├── NotJson                    415 not_json
│   ├── TooManyWebhooks            429 too_many_webhooks
│   └── AdminOnly                  403 admin_only
├── WebhookRefused                 a webhook that must not be believed
│   ├── MalformedWebhook           400 malformed_webhook
│   ├── PeerNotAllowed             403 peer_not_allowed
│   ├── OutsideTimeWindow          401 outside_time_window
│   └── SignatureMismatch          401 signature_mismatch
├── NotReady                       the same request may succeed later
│   ├── SecretNotKnownYet          503 secret_not_known_yet
│   ├── EndpointNotRegistered      503 endpoint_not_registered
│   ├── ProviderUnavailable        503 provider_unavailable
│   └── DatabaseUnavailable        503 database_unavailable
└── ProcessingFailed               inside the workers; nobody is waiting for an answer
    ├── UnreadableAnswer           what the provider said makes no sense
    ├── UnusableSecret             a signing secret that is not one
    └── ChangedMeanwhile           somebody else changed the order first: try again
"""

from __future__ import annotations

from typing import ClassVar


class ShopError(Exception):
    """Base of all. ``definite`` says whether the same request is sure to be refused again."""

    code: ClassVar[str] = "internal_error"
    status: ClassVar[int] = 500
    definite: ClassVar[bool] = False

    @property
    def detail(self) -> str:
        """The sentence for whoever asked."""
        return str(self)


class RequestRefused(ShopError):
    """The caller has to change something."""

    definite = True


class MalformedRequest(RequestRefused):
    """The request cannot be read."""

    code, status = "malformed_request", 400


class MalformedHttp(RequestRefused):
    """What arrived cannot be read as HTTP."""

    code, status = "malformed_http", 400


class BodyTooSlow(RequestRefused):
    """The body did not arrive in time."""

    code, status, definite = "body_too_slow", 408, False


class RequestTooSlow(RequestRefused):
    """The head of the request did not arrive in time."""

    code, status, definite = "request_too_slow", 408, False


class HeadTooLarge(RequestRefused):
    """The target and the headers together are larger than the shop reads."""

    code, status = "head_too_large", 431


class BodyTooLarge(RequestRefused):
    """The body is larger than this route accepts."""

    code, status = "body_too_large", 413


class InvalidOrder(RequestRefused):
    """The request can be read, but it is not an order that this shop takes."""

    code, status = "invalid_order", 422


class UnknownProduct(RequestRefused):
    """The shop does not sell this."""

    code, status = "unknown_product", 422


class MixedCurrencies(RequestRefused):
    """An order has one currency."""

    code, status = "mixed_currencies", 422


class OrderNotFound(RequestRefused):
    """There is no such order."""

    code, status = "order_not_found", 404


class DeadLetterNotFound(RequestRefused):
    """No event with this id has been set aside."""

    code, status = "dead_letter_not_found", 404


class NotRefundable(RequestRefused):
    """Nothing was paid for the order, or nothing is left of it."""

    code, status = "not_refundable", 409


class RefundTooLarge(RequestRefused):
    """More than is left of what was paid."""

    code, status = "refund_too_large", 422


class NotJson(RequestRefused):
    """The content type is not JSON."""

    code, status = "not_json", 415


class TooManyWebhooks(RequestRefused):
    """More webhooks per second than the shop takes; the same one may come again later."""

    code, status, definite = "too_many_webhooks", 429, False

    def __init__(self, detail: str, retry_after_s: float) -> None:
        super().__init__(detail)
        self.retry_after_s = retry_after_s


class AdminOnly(RequestRefused):
    """Only this machine and its private network may do that."""

    code, status = "admin_only", 403


class WebhookRefused(ShopError):
    """A webhook that must not be believed."""

    definite = True


class MalformedWebhook(WebhookRefused):
    """A header is missing or is not what its name promises, or the body is not JSON."""

    code, status = "malformed_webhook", 400


class PeerNotAllowed(WebhookRefused):
    """Webhooks are taken from certain addresses only, and this is none of them."""

    code, status = "peer_not_allowed", 403


class OutsideTimeWindow(WebhookRefused):
    """Signed too long ago, or too far in the future."""

    code, status = "outside_time_window", 401


class SignatureMismatch(WebhookRefused):
    """None of the signatures was made with a secret that is in force."""

    code, status = "signature_mismatch", 401


class NotReady(ShopError):
    """The same request may succeed later."""

    status = 503


class SecretNotKnownYet(NotReady):
    """The provider has not told us yet what it signs with."""

    code = "secret_not_known_yet"


class EndpointNotRegistered(NotReady):
    """There is no endpoint at the provider yet."""

    code = "endpoint_not_registered"


class ProviderUnavailable(NotReady):
    """The provider gave no usable answer."""

    code = "provider_unavailable"


class DatabaseUnavailable(NotReady):
    """The database gave no usable answer."""

    code = "database_unavailable"


class ProcessingFailed(ShopError):
    """Inside the workers; nobody is waiting for an answer."""


class UnreadableAnswer(ProcessingFailed):
    """What the provider said makes no sense."""


class UnusableSecret(ProcessingFailed):
    """A signing secret that is not one."""


class ChangedMeanwhile(ProcessingFailed):
    """Somebody else changed the order first: try again."""
