"""The faults in force: installed, listed, lifted, and asked at every point where one may act."""

from __future__ import annotations

import json
from collections import Counter, OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from psp_sim.domain.chance import Chance
from psp_sim.domain.errors import NotFound
from psp_sim.domain.faults import Fault, Moment, parse_fault
from psp_sim.store import (
    add_fired,
    add_fired_by_kind,
    delete_fault,
    fired_by_kind,
    insert_fault,
    list_faults,
)
from sqlport import Database, Row, Transaction

_CONFIGURED = "flt_configured_"
# Who repeats a call does so soon. To remember every order for ever would fill the memory.
CALLS_REMEMBERED = 100_000


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
        # The latest called last.
        self._calls: OrderedDict[tuple[str, str], int] = OrderedDict()
        # What has fired since it was last stored.
        self._unsaved: Counter[str] = Counter()
        self._unsaved_kinds: Counter[str] = Counter()
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
        await self.refresh()

    async def refresh(self) -> bool:
        """Read what is in force and how often it fired, from every process; tell of a change."""
        async with self._database.transaction() as transaction:
            rows = await list_faults(transaction)
            kinds = await fired_by_kind(transaction)
        before = set(self._installed)
        self._installed = {row["id"]: self._read(row) for row in rows}
        self.fired_by_kind = Counter(kinds) + self._unsaved_kinds
        return set(self._installed) != before

    def _read(self, row: Row) -> InstalledFault:
        known = self._installed.get(row["id"])
        document = json.loads(row["document"]) if known is None else known.document
        return InstalledFault(
            row["id"],
            parse_fault(document) if known is None else known.fault,
            document,
            row["fired"] + self._unsaved[row["id"]],
            row["created_at"],
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
            self._installed.pop(gone, None)
        return lifted

    def installed(self) -> list[InstalledFault]:
        """Return the faults in force, oldest first."""
        return list(self._installed.values())

    def is_in_force(self, fault_id: str) -> bool:
        """Tell whether a fault is still in force: what it holds back is let go when it is not."""
        return fault_id in self._installed

    @property
    def is_any_in_force(self) -> bool:
        """Whether there is any fault in force at all."""
        return bool(self._installed)

    def has_any(self, on: str) -> bool:
        """Tell whether any fault in force acts on this."""
        return bool(self._installed) and any(
            installed.fault.on == on for installed in self._installed.values()
        )

    def count_call(self, operation: str, subject: str) -> int:
        """Return which attempt at an operation this is, from 1, for one order or resource."""
        number = self._calls.pop((operation, subject), 0) + 1
        self._calls[operation, subject] = number
        if len(self._calls) > CALLS_REMEMBERED:
            self._calls.popitem(last=False)
        return number

    def fire(
        self, on: str, moment: Moment, script: Sequence[Fault] = ()
    ) -> list[tuple[str, Fault]]:
        """Return the faults that act at this moment with their ids, and count each as fired.

        A fault that the payment's own script asks for has an empty id. The counts reach the
        database with ``save_counts``, in the transaction that stores what the faults did.
        """
        if not (self._installed or script):
            return []
        hits = [entry for entry in self._installed.values() if self._acts(entry, on, moment)]
        for entry in hits:
            self._count(entry)
        scripted = [fault for fault in script if fault.on == on and fault.matches(moment)]
        for fault in scripted:
            self._count_kind(fault.kind)
        return [(entry.id, entry.fault) for entry in hits] + [("", fault) for fault in scripted]

    def outage(self, now: float, time_scale: float) -> float | None:
        """Return when the outage that is on now ends, or None."""
        if not self._installed:
            return None
        ends = [ends_at for _, ends_at in self._outages(time_scale) if now < ends_at]
        return max(ends, default=None)

    def count_outage(self, now: float, time_scale: float) -> None:
        """Count that the outage that is on now has kept somebody from an answer."""
        for entry, ends_at in self._outages(time_scale):
            if now < ends_at:
                self._count(entry)

    async def save_counts(self, transaction: Transaction) -> None:
        """Store the counts that have changed since the last call."""
        if not self._unsaved_kinds:
            return  # whatever is counted has a kind
        unsaved, self._unsaved = self._unsaved, Counter()
        for fault_id in sorted(unsaved):
            await add_fired(transaction, fault_id, unsaved[fault_id])
        unsaved_kinds, self._unsaved_kinds = self._unsaved_kinds, Counter()
        for kind in sorted(unsaved_kinds):
            await add_fired_by_kind(transaction, kind, unsaved_kinds[kind])

    def _outages(self, time_scale: float) -> list[tuple[InstalledFault, float]]:
        return [
            (entry, entry.installed_at + entry.fault.fields["for"] / time_scale)
            for entry in self._installed.values()
            if entry.fault.kind == "outage"
        ]

    def _count(self, entry: InstalledFault) -> None:
        entry.fired += 1
        self._unsaved[entry.id] += 1
        self._count_kind(entry.fault.kind)

    def _count_kind(self, kind: str) -> None:
        self.fired_by_kind[kind] += 1
        self._unsaved_kinds[kind] += 1

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
