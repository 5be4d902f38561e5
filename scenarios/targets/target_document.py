"""A target file as it is written: each class a table, each field a key, and no other is allowed."""

from __future__ import annotations

from typing import Any

import msgspec

from psp_sim.domain.dialects import STANDARD


class Webhook(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """``url`` is a path of the service, registered for it; None for one that registers itself.

    ``secret`` is for a service that cannot be told one when it starts. ``per_second`` is how many
    it takes; None for one that takes as many as come.
    """

    url: str | None = None
    dialect: str = STANDARD
    secret: str | None = None
    per_second: float | None = None


class PlaceOrder(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How a customer buys; ``order_id``, ``amount`` and ``currency`` are JMESPath.

    ``currencies`` are those in which it sells; customers take turns.
    """

    path: str
    method: str = "POST"
    headers: dict[str, str] = {}
    json: Any = {}
    order_id: str = "id"
    amount: str | None = None
    currency: str | None = None
    currencies: list[str] = []
    skus: list[str] = msgspec.field(default_factory=lambda: ["mug", "notebook", "poster"])


class ReadOrder(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How a customer looks at an order; ``status`` and ``fulfilments`` are JMESPath.

    ``corrected`` is for whatever became of money later; a service that tells more has words for
    money of which a part, or all, was given back.
    """

    path: str
    headers: dict[str, str] = {}
    status: str = "status"
    paid: list[str]
    failed: list[str] = []
    corrected: list[str] = []
    partially_refunded: list[str] = []
    refunded: list[str] = []
    fulfilments: str | None = None


class RefundOrder(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How the staff gives money back; any answer with 2xx means that the service will see to it."""

    path: str
    method: str = "POST"
    headers: dict[str, str] = {}
    json: Any = msgspec.field(default_factory=lambda: {"amount": "{amount}"})


class TimingTable(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What the service says of its own pace, each a duration like ``"2s"``."""

    answers_within: Any = "3s"
    gives_up_after: Any = "10s"
    retries_within: Any = "10s"
    acts_within: Any = None
    reconciles_within: Any = None
    checks_endpoint_within: Any = None
    ready_within: Any = "30s"


class ProviderTable(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Where the provider listens; a free port unless the service has to know it beforehand."""

    port: int | None = None
    key: str = "sk_test_target"


class WarehouseTable(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Where the harness's warehouse listens."""

    port: int | None = None


class Document(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The file as it is written."""

    name: str
    base_url: str
    place_order: PlaceOrder
    read_order: ReadOrder
    refund_order: RefundOrder | None = None
    start: list[str] = []
    ready: str | None = None
    logs: str | None = None
    env: dict[str, str | int | float] = {}
    webhook: Webhook = Webhook()
    timing: TimingTable = TimingTable()
    psp: ProviderTable = ProviderTable()
    warehouse: WarehouseTable = WarehouseTable()


TABLES: dict[str, type[msgspec.Struct]] = {
    "webhook": Webhook,
    "place_order": PlaceOrder,
    "read_order": ReadOrder,
    "refund_order": RefundOrder,
    "timing": TimingTable,
    "psp": ProviderTable,
    "warehouse": WarehouseTable,
}
