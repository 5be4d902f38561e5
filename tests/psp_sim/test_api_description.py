"""The OpenAPI document: it covers every route, and every operation answers as it says."""

import asyncio
import re
from html.parser import HTMLParser

import msgspec
import pytest

from psp_sim import http_models
from psp_sim.domain.event_filter import EVENTS_MAX, LISTENED_TO
from psp_sim.domain.faults import OPERATIONS
from psp_sim.http_description import DESCRIBED
from tests.psp_sim.stand import in_world, payment_body

BODIES = {
    "create_payment": payment_body(),
    "authenticate_payment": {"result": "approved"},
    "create_endpoint": {"url": "http://second:9000/hooks"},
    "update_endpoint": {"events": ["*"]},
    "recover_endpoint": {"since": "2026-01-01T00:00:00Z"},
}


async def subjects(stand):
    """Return path parameters that exist, and for some operations the ones they can act on."""
    endpoint = await stand.add_endpoint()
    held = await stand.pay("held", capture_method="manual")
    given_up = await stand.pay("given-up", payment_method="card_authenticate")
    asked = await stand.pay("asked", payment_method="card_authenticate")
    paid = await stand.pay("paid")
    await asyncio.sleep(3)
    body, key = {"payment": paid["id"], "amount": 1}, {"idempotency-key": "refund"}
    refund = (await stand.call("POST", "/v1/refunds", body, headers=key)).json
    usual = {
        "payment_id": paid["id"],
        "refund_id": refund["id"],
        "event_id": (await stand.get_all("/v1/events"))[0]["id"],
        "endpoint_id": endpoint["id"],
        "delivery_id": (await stand.deliveries(endpoint))[0]["id"],
    }
    payment_of = {
        "capture_payment": held["id"],
        "cancel_payment": given_up["id"],
        "authenticate_payment": asked["id"],
    }
    return usual, payment_of


def model_of(schema):
    name = schema["$ref"].removeprefix("#/components/schemas/")
    return getattr(http_models, name)


def operations(document):
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield method.upper(), path, operation


@in_world()
async def test_every_operation_answers_as_it_is_described(stand):
    document = (await stand.call("GET", "/openapi.json", headers={"authorization": None})).json
    usual, payment_of = await subjects(stand)
    walk = [each for each in operations(document) if each[2]["operationId"] != "stream_events"]
    # What deletes comes last: others need what it deletes.
    walk.sort(key=lambda each: each[0] == "DELETE")
    for method, path, operation in walk:
        name = operation["operationId"]
        values = usual | ({"payment_id": payment_of[name]} if name in payment_of else {})
        body = BODIES | {"create_refund": {"payment": usual["payment_id"]}}
        parameters = {p["name"] for p in operation["parameters"]}
        headers = {"idempotency-key": f"key-{name}"} if "Idempotency-Key" in parameters else {}
        sent = body.get(name, {}) if "requestBody" in operation else None
        answer = await stand.call(method, path.format(**values), sent, headers=headers)
        good = next(iter(operation["responses"]))
        assert str(answer.status) == good, (name, answer.text)
        schema = operation["responses"][good]["content"]["application/json"]["schema"]
        msgspec.json.decode(answer.text, type=model_of(schema))
        await check_refusals(stand, method, path, operation, values)


async def check_refusals(stand, method, path, operation, values):
    """Every refusal that is easy to bring about has a status that the description names."""
    unknown = path.format(**dict.fromkeys(values, "none"))
    key = {"idempotency-key": f"refused-{operation['operationId']}"}
    answers = [
        await stand.call(method, path.format(**values), headers={"authorization": None}),
        await stand.call(method, unknown, {}, headers=key),
        await stand.call(method, path.format(**values), content=b"{", headers=key),
        await stand.call(method, f"{path.format(**values)}?limit=0&wait=-1", headers=key),
    ]
    for answer in answers:
        assert str(answer.status) in operation["responses"], (path, answer.text)
        if answer.status >= 400:
            problem = msgspec.json.decode(answer.text, type=http_models.Problem)
            assert problem.code in operation["responses"][str(answer.status)]["description"]


@in_world()
async def test_every_route_is_described_with_its_body_parameters_and_errors(stand):
    document = await stand.get("/openapi.json")
    assert document["openapi"] == "3.1.0"
    found = {f"{method} {path}": operation for method, path, operation in operations(document)}
    routes = {
        f"{method} {route.path}"
        for route in stand.psp_routes()
        for method in route.methods
        if route.path.startswith("/v1/") and method != "HEAD"
    }
    assert set(found) == routes <= set(DESCRIBED)
    for name, operation in found.items():
        wanted = re.findall(r"{(\w+)}", name)
        assert [p["name"] for p in operation["parameters"] if p["in"] == "path"] == wanted
        assert {"401", "429", "500", "503"} <= set(operation["responses"])
        changes = name.startswith(("POST", "PATCH"))
        assert changes or "requestBody" not in operation
    ids = [operation["operationId"] for operation in found.values()]
    assert sorted(ids) == sorted(OPERATIONS)


@in_world()
async def test_what_a_request_may_say_is_described_with_its_limits(stand):
    """Each limit is the one that refuses: one more character than described is a 400."""
    document = await stand.get("/openapi.json")
    wanted = document["components"]["schemas"]["CreatePayment"]["properties"]
    longest = wanted["reference"]["maxLength"]
    entries, entry = wanted["metadata"]["maxProperties"], wanted["metadata"]["additionalProperties"]
    (key,) = [
        each["schema"]
        for each in document["paths"]["/v1/payments"]["post"]["parameters"]
        if each["name"] == "Idempotency-Key"
    ]
    calls = {
        "reference": ({"reference": "r" * (longest + 1)}, "k1"),
        "metadata": ({"metadata": {str(n): "" for n in range(entries + 1)}}, "k2"),
        "metadata ": ({"metadata": {"one": "x" * (entry["maxLength"] + 1)}}, "k3"),
        "an Idempotency-Key": ({}, "k" * (key["maxLength"] + 1)),
    }
    for said, (changes, name) in calls.items():
        body = payment_body(**changes)
        refused = await stand.call("POST", "/v1/payments", body, headers={"idempotency-key": name})
        assert refused.status == 400
        assert said.strip() in refused.json["detail"]
    assert re.fullmatch(key["pattern"], '"8e03978e-40d5"')
    assert not re.fullmatch(key["pattern"], "naïve")


@in_world()
async def test_references_lead_somewhere_and_bodies_are_those_that_validate(stand):
    answer = await stand.call("GET", "/openapi.json")
    schemas = answer.json["components"]["schemas"]
    references = re.findall(r'"#/components/schemas/(\w+)"', answer.text)
    assert set(references) <= set(schemas)
    assert set(schemas["CreatePayment"]["required"]) == {"amount", "currency", "reference"}
    assert schemas["CreatePayment"]["additionalProperties"] is False
    assert schemas["CreatePayment"]["properties"]["amount"]["type"] == "integer"
    for name in ("CreateEndpoint", "ChangeEndpoint"):
        events = schemas[name]["properties"]["events"]
        assert (events["minItems"], events["maxItems"]) == (1, EVENTS_MAX)
        assert events["items"]["enum"] == list(LISTENED_TO)
    needed = answer.json["paths"]["/v1/refunds"]["post"]["parameters"]
    assert [(p["name"], p["required"]) for p in needed] == [("Idempotency-Key", True)]


class Page(HTMLParser):
    """What a page links to, loads and names."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.ids, self.links, self.loads = [], set(), [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        values = dict(attrs)
        self.ids.add(values.get("id"))
        if tag == "a":
            self.links.append(values["href"])
        self.loads += [values[name] for name in ("src", "action") if name in values]


@pytest.mark.parametrize("path", ["/docs", "/authenticate/none"])
@in_world()
async def test_pages_load_nothing_and_run_no_script(stand, path):
    answer = await stand.call("GET", path, headers={"authorization": None})
    policy = answer.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert "unsafe" not in policy
    page = Page(answer.text)
    assert not page.loads
    assert "script" not in page.tags
    assert "http" not in "".join(page.links)


@in_world()
async def test_the_docs_show_every_operation_and_every_schema(stand):
    document = await stand.get("/openapi.json")
    page = Page((await stand.call("GET", "/docs")).text)
    ids = {operation["operationId"] for _, _, operation in operations(document)}
    assert ids <= page.ids
    assert {f"schema-{name}" for name in document["components"]["schemas"]} <= page.ids
    assert {link.removeprefix("#") for link in page.links if link[0] == "#"} <= page.ids
