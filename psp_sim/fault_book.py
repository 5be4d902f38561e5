"""The faults in force: installed, listed, lifted, and asked at every point where one may act."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from psp_sim.domain.chance import Chance
from psp_sim.domain.errors import NotFound
from psp_sim.domain.faults import Fault, Moment, parse_fault
from psp_sim.store import (
    delete_fault,
    fired_by_kind,
    insert_fault,
    list_faults,
    save_fired,
    save_fired_by_kind,
)
from sqlport import Database, Transaction

_CONFIGURED = "flt_configured_"


@dataclass(slots=True)
class InstalledFault:
    """A fault in force, as it was written, with how often it has fired."""

    id: str
    fault: Fault
    document: dict[str, Any]
    fired: int
    installed_at: float


class FaultBook:
    """Faults live in the database, so that a restart lifts none of them and forgets no count."""

    def __init__(self, database: Database, chance: Chance) -> None:
        self._database = database
        self._chance = chance
        self._installed: dict[str, InstalledFault] = {}
        self._calls: Counter[tuple[str, str]] = Counter()
        self._changed: dict[str, None] = {}
        self._changed_kinds: dict[str, None] = {}
        self.fired_by_kind: Counter[str] = Counter()

    async def load(self, configured: Sequence[Mapping[str, Any]], now: float) -> None:
        """Take up what the database holds, brought in line with the configured faults.

        Raises InvalidFault when a configured fault is not valid.
        """
        wanted = {f"{_CONFIGURED}{n}": dict(each) for n, each in enumerate(configured, start=1)}
        for document in wanted.values():
            parse_fault(document)
        async with self._database.transaction() as transaction:
            for row in await list_faults(transaction):
                # A configured fault that was changed or taken out since is another, or none.
                is_configured = row["id"].startswith(_CONFIGURED)
                if is_configured and json.loads(row["document"]) != wanted.get(row["id"]):
                    await delete_fault(transaction, row["id"])
            for fault_id, document in wanted.items():
                await insert_fault(transaction, fault_id, document, now)
            rows = await list_faults(transaction)
            self.fired_by_kind.update(await fired_by_kind(transaction))
        for row in rows:
            document = json.loads(row["document"])
            self._installed[row["id"]] = InstalledFault(
                row["id"], parse_fault(document), document, row["fired"], row["created_at"]
            )

    async def install_all(
        self, documents: Sequence[tuple[str, Mapping[str, Any]]], now: float
    ) -> list[InstalledFault]:
        """Put faults in force under the given ids, all of them or none. Raises InvalidFault."""
        installed = [
            InstalledFault(fault_id, parse_fault(document), dict(document), 0, now)
            for fault_id, document in documents
        ]
        async with self._database.transaction() as transaction:
            for entry in installed:
                await insert_fault(transaction, entry.id, entry.document, now)
        self._installed.update({entry.id: entry for entry in installed})
        return installed

    async def lift(self, fault_id: str | None) -> int:
        """Lift one fault, or all of them for None; return how many. Raises NotFound."""
        if fault_id is not None and fault_id not in self._installed:
            raise NotFound(
                f"there is no fault {fault_id}: GET /_control/faults lists those in force"
            )
        async with self._database.transaction() as transaction:
            lifted = await delete_fault(transaction, fault_id)
        for gone in [fault_id] if fault_id else list(self._installed):
            del self._installed[gone]
        return lifted

    def installed(self) -> list[InstalledFault]:
        """Return the faults in force, oldest first."""
        return list(self._installed.values())

    def is_in_force(self, fault_id: str) -> bool:
        """Tell whether a fault is still in force: what it holds back is let go when it is not."""
        return fault_id in self._installed

    def has_any(self, on: str) -> bool:
        """Tell whether any fault in force acts on this."""
        return any(installed.fault.on == on for installed in self._installed.values())

    def count_call(self, operation: str, subject: str) -> int:
        """Return which attempt at an operation this is, from 1, for one order or resource."""
        self._calls[operation, subject] += 1
        return self._calls[operation, subject]

    def fire(
        self, on: str, moment: Moment, script: Sequence[Fault] = ()
    ) -> list[tuple[str, Fault]]:
        """Return the faults that act at this moment with their ids, and count each as fired.

        A fault that the payment's own script asks for has an empty id. The counts reach the
        database with ``save_counts``, in the transaction that stores what the faults did.
        """
        hits = [entry for entry in self._installed.values() if self._acts(entry, on, moment)]
        for entry in hits:
            self._count(entry)
        scripted = [fault for fault in script if fault.on == on and fault.matches(moment)]
        for fault in scripted:
            self._count_kind(fault.kind)
        return [(entry.id, entry.fault) for entry in hits] + [("", fault) for fault in scripted]

    def outage(self, now: float, time_scale: float) -> float | None:
        """Return when the outage that is on now ends, or None."""
        ends = [ends_at for _, ends_at in self._outages(time_scale) if now < ends_at]
        return max(ends, default=None)

    def count_outage(self, now: float, time_scale: float) -> None:
        """Count that the outage that is on now has kept somebody from an answer."""
        for entry, ends_at in self._outages(time_scale):
            if now < ends_at:
                self._count(entry)

    async def save_counts(self, transaction: Transaction) -> None:
        """Store the counts that have changed since the last call."""
        changed, self._changed = self._changed, {}
        for fault_id in changed:
            if fault_id in self._installed:
                await save_fired(transaction, fault_id, self._installed[fault_id].fired)
        changed_kinds, self._changed_kinds = self._changed_kinds, {}
        for kind in changed_kinds:
            await save_fired_by_kind(transaction, kind, self.fired_by_kind[kind])

    def _outages(self, time_scale: float) -> list[tuple[InstalledFault, float]]:
        return [
            (entry, entry.installed_at + entry.fault.fields["for"] / time_scale)
            for entry in self._installed.values()
            if entry.fault.kind == "outage"
        ]

    def _count(self, entry: InstalledFault) -> None:
        entry.fired += 1
        self._changed[entry.id] = None
        self._count_kind(entry.fault.kind)

    def _count_kind(self, kind: str) -> None:
        self.fired_by_kind[kind] += 1
        self._changed_kinds[kind] = None

    def _acts(self, entry: InstalledFault, on: str, moment: Moment) -> bool:
        fault = entry.fault
        if fault.on != on or not fault.matches(moment):
            return False
        if fault.times is not None and entry.fired >= fault.times:
            return False
        return fault.probability >= 1 or fault.probability > self._fraction(entry, moment)

    def _fraction(self, entry: InstalledFault, moment: Moment) -> float:
        """Draw for this fault at this moment alone, whatever other faults are in force."""
        return self._chance.fraction(
            "fault",
            json.dumps(entry.document, sort_keys=True),
            moment.event or moment.operation or "",
            moment.order or 0,
            moment.attempt or 0,
        )
