"""Every error the provider answers with.

PspError
├── InvalidRequest             400  invalid_request
│   ├── InvalidAmount          400  invalid_amount
│   ├── UnknownCurrency        400  unknown_currency
│   ├── InvalidFault           400  invalid_fault
│   ├── InvalidUrl             400  invalid_url
│   ├── EndpointNotVerified    400  endpoint_not_verified
│   └── DialectUnavailable     400  dialect_unavailable
├── MalformedHttp              400  malformed_http
├── IdempotencyKeyMissing      400  idempotency_key_missing
├── IdempotencyKeyMalformed    400  idempotency_key_malformed
├── Unauthorized               401  unauthorized
├── Forbidden                  403  forbidden
├── NotFound                   404  not_found
├── MethodNotAllowed           405  method_not_allowed
├── IdempotencyKeyInUse        409  idempotency_key_in_use
├── InvalidState               409  invalid_state
├── EndpointDisabled           409  endpoint_disabled
├── BodyTooLarge               413  body_too_large
├── RequestTooSlow             408  request_too_slow
├── HeadTooLarge               431  head_too_large
├── IdempotencyKeyReused       422  idempotency_key_reused
├── RateLimited                429  rate_limited
├── SimulatedError             any  simulated_error
├── DatabaseUnavailable        503  database_unavailable
└── Unexpected                 500  unexpected

``definite`` says whether the operation surely did not happen: only then may a client give up on it.
"""

from __future__ import annotations

from typing import ClassVar


class PspError(Exception):
    """Base of all. The text is one sentence for the caller: what is wrong and what to do."""

    code: ClassVar[str]
    status: int
    title: ClassVar[str]
    definite: ClassVar[bool] = True
    retry_after_s: int | None = None


class InvalidRequest(PspError):
    """The body, path or query is not what the operation takes."""

    code = "invalid_request"
    status = 400
    title = "The request is not valid"


class InvalidAmount(InvalidRequest):
    """The amount is not a positive whole number of minor units."""

    code = "invalid_amount"
    title = "The amount is not valid"


class UnknownCurrency(InvalidRequest):
    """The currency is not an active ISO 4217 code."""

    code = "unknown_currency"
    title = "The currency is not known"


class InvalidFault(InvalidRequest):
    """The fault is not in the vocabulary, or a field of it is wrong."""

    code = "invalid_fault"
    title = "The fault is not valid"


class InvalidUrl(InvalidRequest):
    """The webhook URL is not one that the provider may call."""

    code = "invalid_url"
    title = "The webhook URL is not valid"


class EndpointNotVerified(InvalidRequest):
    """The endpoint did not take the signed test event that registration asked for."""

    code = "endpoint_not_verified"
    title = "The webhook endpoint could not be verified"


class DialectUnavailable(InvalidRequest):
    """The dialect needs a library that is not installed."""

    code = "dialect_unavailable"
    title = "The dialect is not available here"


class MalformedHttp(PspError):
    """What arrived cannot be read as HTTP; what cannot be read has done nothing."""

    code = "malformed_http"
    status = 400
    title = "The request is not HTTP"


class IdempotencyKeyMissing(PspError):
    """An operation that moves money came without a key."""

    code = "idempotency_key_missing"
    status = 400
    title = "The Idempotency-Key header is missing"


class IdempotencyKeyMalformed(PspError):
    """The key is empty, too long, or not a Structured-Field string."""

    code = "idempotency_key_malformed"
    status = 400
    title = "The Idempotency-Key header is malformed"


class Unauthorized(PspError):
    """The API key is missing or wrong."""

    code = "unauthorized"
    status = 401
    title = "The API key is missing or wrong"


class Forbidden(PspError):
    """The caller may not use this surface."""

    code = "forbidden"
    status = 403
    title = "Not allowed from here"


class NotFound(PspError):
    """There is nothing under that id or path."""

    code = "not_found"
    status = 404
    title = "Not found"


class MethodNotAllowed(PspError):
    """The path exists and does not take this method."""

    code = "method_not_allowed"
    status = 405
    title = "Method not allowed"


class IdempotencyKeyInUse(PspError):
    """A request with the same key is being worked on right now."""

    code = "idempotency_key_in_use"
    status = 409
    title = "A request with this key is in progress"
    definite = False


class InvalidState(PspError):
    """What is asked for does not go together with the state that the payment is in."""

    code = "invalid_state"
    status = 409
    title = "The payment is in another state"


class EndpointDisabled(PspError):
    """Nothing is sent to an endpoint that is disabled."""

    code = "endpoint_disabled"
    status = 409
    title = "The webhook endpoint is disabled"


class BodyTooLarge(PspError):
    """The body is over the limit."""

    code = "body_too_large"
    status = 413
    title = "The body is too large"


class RequestTooSlow(PspError):
    """The request did not arrive whole in time. Nothing was done, and it may come again."""

    code = "request_too_slow"
    status = 408
    title = "The request did not arrive in time"
    definite = False


class HeadTooLarge(PspError):
    """The target and the headers together are over the limit."""

    code = "head_too_large"
    status = 431
    title = "The head of the request is too large"


class IdempotencyKeyReused(PspError):
    """The key was first used with another request."""

    code = "idempotency_key_reused"
    status = 422
    title = "The key belongs to another request"


class RateLimited(PspError):
    """Too many requests at once, or a fault that says so. Nobody may give up on it."""

    code = "rate_limited"
    status = 429
    title = "Too many requests"
    definite = False

    def __init__(self, retry_after_s: int) -> None:
        super().__init__(f"too many requests: send this one again in {retry_after_s} s")
        self.retry_after_s = retry_after_s


class SimulatedError(PspError):
    """An error that a fault asked for."""

    code = "simulated_error"
    title = "A simulated failure"
    definite = False

    def __init__(self, status: int) -> None:
        super().__init__(f"a fault asked for this answer with status {status}; retry as you would")
        self.status = status


class DatabaseUnavailable(PspError):
    """The database gave no usable answer. What was asked for may have happened all the same."""

    code = "database_unavailable"
    status = 503
    title = "The provider cannot reach its database"
    definite = False
    retry_after_s = 2


class Unexpected(PspError):
    """A bug of ours."""

    code = "unexpected"
    status = 500
    title = "Something went wrong in the provider"
    definite = False


def error_classes() -> list[type[PspError]]:
    """Return every concrete error, in the order of the tree."""
    found: list[type[PspError]] = []
    waiting: list[type[PspError]] = [PspError]
    while waiting:
        current = waiting.pop(0)
        found.append(current)
        waiting = [*current.__subclasses__(), *waiting]
    return found[1:]
