"""The file that describes somebody's own service: read, checked, every value in its final type.

``docs/testing-your-service.md`` explains each key.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import jmespath
import msgspec
from jmespath.exceptions import JMESPathError

from psp_sim.domain.dialects import DIALECTS
from psp_sim.domain.duration import parse_duration
from psp_sim.domain.money import DECIMALS
from scenarios.errors import WrongUsage
from scenarios.read_toml import read_toml
from scenarios.targets.target_document import TABLES, Document, TimingTable

SERVICE_PLACEHOLDERS = (
    "psp_url",
    "psp_key",
    "webhook_secret",
    "warehouse_url",
    "port",
    "data_dir",
    "python",
)
PORT_MAX = 65535
_PLACEHOLDER = re.compile(r"\{(\w+)\}")

Find = Callable[[Any], Any]


@dataclass(frozen=True, slots=True)
class Timing:
    """What the service says of its own pace, in seconds; None for what it never does."""

    answers_within: float
    gives_up_after: float
    retries_within: float
    acts_within: float | None
    reconciles_within: float | None
    checks_endpoint_within: float | None
    ready_within: float


@dataclass(frozen=True)
class Target:
    """A checked target file. ``file`` is where it is; the service starts in that folder."""

    file: Path
    document: Document
    timing: Timing
    find_order_id: Find
    find_status: Find
    find_amount: Find
    find_currency: Find
    find_fulfilments: Find | None

    @property
    def is_started(self) -> bool:
        """Tell whether the harness starts the service, and so may kill it."""
        return bool(self.document.start)

    @property
    def shares_nothing(self) -> bool:
        """Tell whether several runs can go on at once: each has a service and ports of its own."""
        has_own_ports = self.document.psp.port is None and self.document.warehouse.port is None
        return self.is_started and "{port}" in self.document.base_url and has_own_ports


def load_target(path: Path) -> Target:
    """Read and check a target file. Raises WrongUsage naming file, key and what is allowed."""
    try:
        table = read_toml(path)
    except OSError as problem:
        raise WrongUsage(f"cannot read the target {path}: {problem.strerror}") from problem
    try:
        _refuse_unknown_keys(table)
        return _target(path, _convert(table))
    except WrongUsage as problem:
        raise WrongUsage(f"{path}: {problem}") from problem


def fill(text: str, values: Mapping[str, str | int]) -> str:
    """Put values in the place of ``{placeholders}``; braces around anything else stay."""
    return _PLACEHOLDER.sub(lambda found: str(values.get(found[1], found[0])), text)


def fill_all(value: Any, values: Mapping[str, str | int]) -> Any:
    """Fill every text inside lists and tables; a number's placeholder alone becomes the number."""
    if isinstance(value, str):
        found = _PLACEHOLDER.fullmatch(value)
        return values[found[1]] if found and found[1] in values else fill(value, values)
    if isinstance(value, list):
        return [fill_all(each, values) for each in value]
    if isinstance(value, dict):
        return {key: fill_all(each, values) for key, each in value.items()}
    return value


def _refuse_unknown_keys(table: Mapping[str, Any]) -> None:
    for where, keys, allowed in (
        ("a target file", table, Document.__struct_fields__),
        *(
            (f"[{name}]", table[name], kind.__struct_fields__)
            for name, kind in TABLES.items()
            if isinstance(table.get(name), dict)
        ),
    ):
        for key in keys:
            if key not in allowed:
                raise WrongUsage(f"{key!r} is not a key of {where}: use {', '.join(allowed)}")


def _convert(table: Mapping[str, Any]) -> Document:
    try:
        return msgspec.convert(table, Document)
    except msgspec.ValidationError as problem:
        # "Expected `str`, got `int` - at `$.read_order.path`"
        said, _, place = str(problem).partition(" - at ")
        key = place.strip("`").removeprefix("$.")
        said = said.replace("Object missing required field", "the key is missing:")
        raise WrongUsage(f"{key}: {said}" if key and key != "$" else said) from problem


def _target(path: Path, document: Document) -> Target:
    _check_addresses(document)
    _check_placeholders(document)
    if document.webhook.dialect not in DIALECTS:
        raise WrongUsage(
            f"webhook.dialect: {document.webhook.dialect!r} is not known: use {', '.join(DIALECTS)}"
        )
    if document.webhook.url and not document.start and not document.webhook.secret:
        raise WrongUsage(
            "webhook.secret: a service that runs already has to know its secret beforehand; "
            "write here what it verifies with"
        )
    if not document.place_order.skus:
        raise WrongUsage("place_order.skus: name at least one thing that can be bought")
    if (document.place_order.amount is None) != (document.place_order.currency is None):
        raise WrongUsage(
            "place_order: amount and currency go together: an amount is money in one currency only"
        )
    _check_offer(document)
    if not document.read_order.paid:
        raise WrongUsage("read_order.paid: name the status words that mean that money has come")
    order, read = document.place_order, document.read_order
    return Target(
        file=path,
        document=document,
        timing=_timing(document.timing),
        find_order_id=_expression("place_order.order_id", order.order_id),
        find_status=_expression("read_order.status", read.status),
        find_amount=_expression("place_order.amount", order.amount or "`null`"),
        find_currency=_expression("place_order.currency", order.currency or "`null`"),
        find_fulfilments=(
            _expression("read_order.fulfilments", read.fulfilments) if read.fulfilments else None
        ),
    )


def _check_offer(document: Document) -> None:
    """Refuse currencies that there are not, and a limit that lets nothing through."""
    currencies = document.place_order.currencies
    for code in currencies:
        if code not in DECIMALS:
            raise WrongUsage(
                f"place_order.currencies: {code!r} is not an ISO 4217 code in capitals, like EUR"
            )
    if not currencies and "{currency}" in repr(document.place_order):
        raise WrongUsage("place_order: {currency} needs currencies, the list that it is taken from")
    per_second = document.webhook.per_second
    if per_second is not None and per_second <= 0:
        raise WrongUsage(f"webhook.per_second: {per_second:g} lets nothing through")


def _check_addresses(document: Document) -> None:
    shown = fill(document.base_url, {"port": "1"})
    try:
        url = httpx.URL(shown)
    except httpx.InvalidURL as problem:
        raise WrongUsage(f"base_url: {document.base_url!r} is no URL: {problem}") from problem
    if url.scheme not in ("http", "https") or not url.host:
        raise WrongUsage(
            f"base_url: {document.base_url!r} is not like http://127.0.0.1:3000 "
            "or http://127.0.0.1:{port}"
        )
    if "{port}" in document.base_url and not document.start:
        raise WrongUsage("base_url: {port} is for a service that the harness starts: give start")
    for key, value in (
        ("ready", document.ready),
        ("webhook.url", document.webhook.url),
        ("place_order.path", document.place_order.path),
        ("read_order.path", document.read_order.path),
        ("refund_order.path", document.refund_order.path if document.refund_order else None),
    ):
        if value is not None and not value.startswith("/"):
            raise WrongUsage(f"{key}: {value!r} is not a path that begins with /")
    for key, port in (("psp.port", document.psp.port), ("warehouse.port", document.warehouse.port)):
        if port is not None and not 1 <= port <= PORT_MAX:
            raise WrongUsage(f"{key}: {port} is not from 1 to {PORT_MAX}")
    if "{order_id}" not in document.read_order.path:
        raise WrongUsage("read_order.path: it has to contain {order_id}")
    if document.refund_order and "{order_id}" not in repr(document.refund_order):
        raise WrongUsage("refund_order: {order_id} has to be in its path or json")


def _check_placeholders(document: Document) -> None:
    texts = [("start", text) for text in document.start]
    texts += [(f"env.{name}", str(text)) for name, text in document.env.items()]
    for key, text in texts:
        for found in _PLACEHOLDER.findall(text):
            if found not in SERVICE_PLACEHOLDERS:
                allowed = ", ".join(f"{{{name}}}" for name in SERVICE_PLACEHOLDERS)
                raise WrongUsage(f"{key}: {{{found}}} is no placeholder: use {allowed}")


def _timing(written: TimingTable) -> Timing:
    def seconds(name: str) -> float:
        try:
            return parse_duration(getattr(written, name))
        except ValueError as problem:
            raise WrongUsage(f"timing.{name}: {problem}") from problem

    def seconds_or_never(name: str) -> float | None:
        return None if getattr(written, name) is None else seconds(name)

    if not seconds("answers_within"):
        raise WrongUsage("timing.answers_within: 0 leaves no time for an answer")
    return Timing(
        answers_within=seconds("answers_within"),
        gives_up_after=seconds("gives_up_after"),
        retries_within=seconds("retries_within"),
        acts_within=seconds_or_never("acts_within"),
        reconciles_within=seconds_or_never("reconciles_within"),
        checks_endpoint_within=seconds_or_never("checks_endpoint_within"),
        ready_within=seconds("ready_within"),
    )


def _expression(key: str, text: str) -> Find:
    try:
        compiled = jmespath.compile(text)
    except JMESPathError as problem:
        said = str(problem).splitlines()[0]
        raise WrongUsage(f"{key}: {text!r} is no JMESPath expression: {said}") from problem

    def find(answer: Any) -> Any:
        try:
            return compiled.search(answer)
        except JMESPathError:
            # A function that does not fit what came finds nothing, like a key that is not there.
            return None

    return find
