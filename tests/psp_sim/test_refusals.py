"""What the API refuses: always problem+json, with a stable code, and never a 500."""

import pytest

from psp_sim.domain.errors import error_classes
from psp_sim.domain.money import AMOUNT_MINOR_MAX
from tests.psp_sim.stand import API_KEY, in_world, payment_body, scope_of


def check_problem(answer, status, code, part="", definite=True):
    assert answer.status == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json
    assert set(problem) == {"type", "title", "status", "detail", "code", "definite"}
    assert (problem["status"], problem["code"]) == (status, code)
    assert problem["definite"] is definite
    assert problem["type"] == f"urn:psp-sim:error:{code}"
    assert part in problem["detail"]


def without(name):
    body = payment_body()
    del body[name]
    return body


@pytest.mark.parametrize(
    ("body", "code", "part"),
    [
        (payment_body(amount=-1), "invalid_amount", "between 1 and"),
        (payment_body(amount=0), "invalid_amount", "between 1 and"),
        (payment_body(amount=10.99), "invalid_amount", "whole number of minor units"),
        (payment_body(amount=10.0), "invalid_amount", "whole number of minor units"),
        (payment_body(amount=True), "invalid_amount", "whole number of minor units"),
        (payment_body(amount="1099"), "invalid_amount", "whole number of minor units"),
        (payment_body(amount=None), "invalid_amount", "whole number of minor units"),
        (payment_body(amount=AMOUNT_MINOR_MAX + 1), "invalid_amount", "between 1 and"),
        (payment_body(amount=2**64), "invalid_amount", "amount must be"),
        (payment_body(amount=10**400), "invalid_amount", "amount must be"),
        (payment_body(currency="eur"), "unknown_currency", "in capitals"),
        (payment_body(currency="XXX"), "unknown_currency", "ISO 4217"),
        (payment_body(currency=978), "unknown_currency", "ISO 4217"),
        (payment_body(surprise=1), "invalid_request", "unknown field `surprise`"),
        (payment_body(reference=""), "invalid_request", "reference must have 1 to 200"),
        (payment_body(reference="r" * 201), "invalid_request", "reference must have 1 to 200"),
        (payment_body(reference=7), "invalid_request", "`$.reference`"),
        (payment_body(reference=None), "invalid_request", "`$.reference`"),
        (payment_body(payment_method=7), "invalid_request", "`$.payment_method`"),
        (payment_body(payment_method="m" * 201), "invalid_request", "payment_method takes up to"),
        (payment_body(metadata=[]), "invalid_request", "`$.metadata`"),
        (payment_body(metadata={"a": 1}), "invalid_request", "`$.metadata"),
        (payment_body(metadata={"a": "b" * 501}), "invalid_request", "metadata takes up to 50"),
        (payment_body(metadata={"a" * 501: "b"}), "invalid_request", "metadata takes up to 50"),
        (
            payment_body(metadata={str(number): "" for number in range(51)}),
            "invalid_request",
            "metadata takes up to 50",
        ),
        (payment_body(metadata={"sim": "explode"}), "invalid_fault", "'explode' is not a fault"),
        (payment_body(metadata={"sim": ""}), "invalid_fault", "is not understood"),
        (without("amount"), "invalid_request", "missing required field `amount`"),
        (without("currency"), "invalid_request", "missing required field `currency`"),
        (without("reference"), "invalid_request", "missing required field `reference`"),
        ([], "invalid_request", "the body does not fit"),
        ("text", "invalid_request", "the body does not fit"),
    ],
)
@in_world()
async def test_a_bad_payment_is_refused_and_not_made(stand, body, code, part):
    check_problem(await stand.create(body), 400, code, part)
    assert await stand.get_all("/v1/payments") == []


@in_world()
async def test_a_payment_method_may_have_as_many_characters_as_the_limit_says(stand):
    assert (await stand.pay(payment_method="m" * 200))["payment_method"] == "m" * 200


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"null",
        b"amount=1099",
        b'{"amount": NaN}',
        b'\xff\xfe{"amount": 1}',
        b'{"amount":1,"currency":"EUR","reference":"\xff"}',
        b'{"amount":1,"currency":"EUR","reference":"\\ud800"}',
        b'{"amount":1,"currency":"EUR","reference":"' + b'a"',
        b"[" * 50_000,
        b'{"amount":' + b"[" * 50_000,
        b'{"metadata":{"sim":"drop"},"amount":' + b"[" * 50_000,
        b'{"metadata":{"sim":"drop(attempt=' + b"9" * 5000 + b')"}}',
    ],
)
@pytest.mark.parametrize("kind", [None, "lose_request"])
@in_world()
async def test_a_body_that_is_no_json_object_is_refused(stand, content, kind):
    if kind:
        await stand.install(kind, order="somebody else's")
    headers = {"idempotency-key": "k"}
    answer = await stand.call("POST", "/v1/payments", content=content, headers=headers)
    assert answer.status == 400, answer.text
    assert answer.json["code"] in ("invalid_request", "invalid_fault")
    assert await stand.get_all("/v1/payments") == []


@in_world(body_bytes_max=1000)
async def test_a_body_over_the_limit_is_refused(stand):
    check_problem(
        await stand.create(payment_body(surprise="a" * 1000)), 413, "body_too_large", "1000 bytes"
    )
    fits = payment_body(metadata={"a": "b" * 400})
    assert (await stand.create(fits)).status == 201


@in_world(body_bytes_max=1000)
async def test_a_body_in_pieces_is_refused_as_soon_as_it_is_over_the_limit(stand):
    """No content-length tells beforehand; what is over the limit is not read to its end."""
    taken, sent = [], []

    async def receive():
        taken.append(1)
        return {"type": "http.request", "body": b" " * 300, "more_body": True}

    async def send(message):
        sent.append(message)

    await stand.psp._app(scope_of("POST", "/v1/payments"), receive, send)
    assert sent[0]["status"] == 413
    assert len(taken) == 4


@pytest.mark.parametrize(
    ("key", "code"),
    [
        (None, "idempotency_key_missing"),
        ("", "idempotency_key_malformed"),
        ('"open', "idempotency_key_malformed"),
        ("two words", "idempotency_key_malformed"),
        ("a" * 256, "idempotency_key_malformed"),
    ],
)
@in_world()
async def test_a_payment_needs_a_well_formed_key(stand, key, code):
    headers = {"idempotency-key": key}
    answer = await stand.call("POST", "/v1/payments", payment_body(), headers=headers)
    check_problem(answer, 400, code)
    assert await stand.get_all("/v1/payments") == []


@pytest.mark.parametrize(
    "authorization",
    [
        None,
        "",
        "Bearer",
        "Bearer ",
        "Bearer wrong",
        f"Basic {API_KEY}",
        API_KEY,
        "Bearer sk_tést".encode("latin-1"),
    ],
)
@pytest.mark.parametrize(
    ("method", "path"),
    [("POST", "/v1/payments"), ("GET", "/v1/payments"), ("GET", "/v1/events"),
     ("POST", "/v1/webhook_endpoints"), ("GET", "/v1/webhook_endpoints")],
)  # fmt: skip
@in_world()
async def test_without_the_api_key_nothing_is_answered(stand, authorization, method, path):
    answer = await stand.call(method, path, headers={"authorization": authorization})
    check_problem(answer, 401, "unauthorized", "Authorization: Bearer KEY")


@in_world()
async def test_the_scheme_of_the_key_is_read_in_any_case(stand):
    headers = {"authorization": f"bearer  {API_KEY}"}
    assert (await stand.call("GET", "/v1/payments", headers=headers)).status == 200


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/v1",
        "/v2/payments",
        "/v1/payments/",
        "/v1/payments/pay_none",
        "/v1/payments/pay/none",
        "/v1/events/evt_none",
        "/v1/webhook_endpoints/we_none",
        "/v1/webhook_endpoints/we_none/deliveries",
        "/_control",
        "/_control/faults/",
    ],
)
@in_world()
async def test_what_is_not_there_is_not_found(stand, path):
    check_problem(await stand.call("GET", path), 404, "not_found")


@in_world()
async def test_what_is_not_there_can_be_neither_deleted_nor_rotated(stand):
    check_problem(await stand.call("DELETE", "/v1/webhook_endpoints/we_none"), 404, "not_found")
    path = "/v1/webhook_endpoints/we_none/rotate_secret"
    check_problem(await stand.call("POST", path), 404, "not_found")
    check_problem(await stand.call("DELETE", "/_control/faults/flt_none"), 404, "not_found")


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("DELETE", "/v1/payments", "GET, HEAD, POST"),
        ("PUT", "/v1/payments/pay_1", "GET, HEAD"),
        ("POST", "/v1/events", "GET, HEAD"),
        ("PUT", "/v1/webhook_endpoints/we_1", "DELETE, GET, HEAD, PATCH"),
        ("GET", "/v1/webhook_endpoints/we_1/rotate_secret", "POST"),
        ("POST", "/healthz", "GET, HEAD"),
        ("PUT", "/_control/faults", "DELETE, GET, HEAD, POST"),
    ],
)
@in_world()
async def test_a_method_that_a_path_does_not_take_is_refused_with_those_it_takes(
    stand, method, path, allowed
):
    answer = await stand.call(method, path)
    check_problem(answer, 405, "method_not_allowed", method)
    assert answer.headers["allow"] == allowed


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({}, "invalid_request"),
        ({"url": 7}, "invalid_url"),
        ({"url": "http://8.8.8.8/"}, "invalid_url"),
        ({"url": "http://[::1/"}, "invalid_url"),
        ({"url": "http://sink/", "events": []}, "invalid_request"),
        ({"url": "http://sink/", "events": "*"}, "invalid_request"),
        ({"url": "http://sink/", "events": [7]}, "invalid_request"),
        ({"url": "http://sink/", "events": ["payment.suceeded", "refund"]}, "invalid_request"),
        ({"url": "http://sink/", "events": [""]}, "invalid_request"),
        ({"url": "http://sink/", "events": ["payment.succeeded"] * 51}, "invalid_request"),
        ({"url": "http://sink/", "surprise": 1}, "invalid_request"),
    ],
)
@in_world()
async def test_a_bad_endpoint_is_refused(stand, body, code):
    check_problem(await stand.call("POST", "/v1/webhook_endpoints", body), 400, code)
    assert await stand.get_all("/v1/webhook_endpoints") == []


@in_world()
async def test_a_type_of_events_that_there_is_not_is_refused(stand):
    answer = await stand.call("GET", "/v1/events?type=payment.suceeded")
    check_problem(answer, 400, "invalid_request", "payment.succeeded")
    endpoint = await stand.add_endpoint()
    path = f"/v1/webhook_endpoints/{endpoint['id']}"
    answer = await stand.call("PATCH", path, {"events": ["refunds.*"]})
    check_problem(answer, 400, "invalid_request", "refund.*")
    assert (await stand.get(path))["events"] == ["*"]


@pytest.mark.parametrize("overlap_s", [-1, 1e12, "1h", True])
@in_world()
async def test_a_bad_overlap_is_refused(stand, overlap_s):
    endpoint = await stand.add_endpoint()
    path = f"/v1/webhook_endpoints/{endpoint['id']}/rotate_secret"
    answer = await stand.call("POST", path, {"overlap_s": overlap_s})
    check_problem(answer, 400, "invalid_request", "overlap_s")


@pytest.mark.parametrize("path", ["payments", "events", "webhook_endpoints"])
@pytest.mark.parametrize(
    "query",
    [
        "after=x",
        "after=-1",
        "after=1.5",
        "after=" + "9" * 19,
        "after=%D9%A3",
        "limit=0",
        "limit=101",
        "limit=-1",
        "limit=ten",
        "limit=" + "9" * 5000,
        "limit=%D9%A3",
    ],
)
@in_world()
async def test_a_bad_cursor_or_limit_is_refused(stand, path, query):
    name = query.partition("=")[0]
    check_problem(await stand.call("GET", f"/v1/{path}?{query}"), 400, "invalid_request", name)


def test_every_error_has_a_code_of_its_own_and_a_title():
    classes = error_classes()
    codes = [error.code for error in classes]
    assert len(codes) == len(set(codes)) >= 15
    assert all(error.title and error.__doc__ for error in classes)
    assert [error.code for error in classes if not error.definite] == [
        "idempotency_key_in_use",
        "request_too_slow",
        "rate_limited",
        "simulated_error",
        "database_unavailable",
        "unexpected",
    ]
