"""What happened when: facts go in as they happen, canonical JSON lines and one digest come out.

Messages, all with the ``id`` of their exchange:
``request_sent`` (source, destination, method, path, key, body), ``request_lost``,
``request_arrived``, ``response_sent`` (status, body), ``response_lost``,
``response_arrived`` and ``disconnect_arrived`` (complete, took_us), ``connection_dropped`` (by the
application), ``client_left``, ``request_failed`` (error: what the client's code was told).
Hosts, all with ``host``: ``host_started``, ``host_start_failed``, ``host_stopped``,
``host_crashed`` (mode), ``crash_point_reached`` (site, nth, when), ``host_paused``,
``host_resumed``, ``application_failed`` (doing, error), ``clock_skewed`` (by_us), ``committed``
(number).
Network: ``partitioned`` (sender, receiver, one_way), ``latency_added`` (sender, receiver, by_us),
``healed``.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from hashlib import blake2b
from typing import Any, NamedTuple


class Record(NamedTuple):
    """One fact: when (microseconds since the run began), what, and its details."""

    time_us: int
    kind: str
    fields: dict[str, Any]


class Trace:
    """The single evidence of a run, in the order in which things happened.

    Recording keeps references only; text and hashes are made when somebody asks for them.
    """

    def __init__(self, now_us: Callable[[], int]) -> None:
        self._now_us = now_us
        self._records: list[Record] = []
        self._sealed = False

    def record(self, kind: str, **fields: Any) -> None:
        """Add a fact; values are strings, numbers, booleans, None or bytes (shown as a digest)."""
        if not self._sealed:
            self._records.append(Record(self._now_us(), kind, fields))

    def seal(self) -> None:
        """Take in nothing more: the run is over."""
        self._sealed = True

    def __iter__(self) -> Iterator[Record]:
        return iter(self._records)

    def __len__(self) -> int:
        return len(self._records)

    def of_kind(self, *kinds: str) -> list[Record]:
        """Return the records of these kinds, in order."""
        return [record for record in self._records if record.kind in kinds]

    def lines(self) -> Iterator[str]:
        """Yield each record as one line of canonical JSON: sorted keys, no spaces."""
        for time_us, kind, fields in self._records:
            yield _canonical({"time_us": time_us, "kind": kind, **fields})

    def digest(self) -> str:
        """Return a hash of all lines: 32 hexadecimal digits, equal exactly when the runs are."""
        whole = blake2b(digest_size=16)
        for line in self.lines():
            whole.update(line.encode())
            whole.update(b"\n")
        return whole.hexdigest()


def _shorten(value: object) -> dict[str, Any]:
    if isinstance(value, bytes):
        return {"bytes": len(value), "digest": blake2b(value, digest_size=8).hexdigest()}
    raise TypeError(f"a trace record holds plain values only, not {type(value).__name__}")


_canonical = json.JSONEncoder(sort_keys=True, separators=(",", ":"), default=_shorten).encode
