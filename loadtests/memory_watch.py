"""Process ids come in; how much memory each of them holds goes out, look by look."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import psutil

from loadtests.steadiness import Samples

MEMORY_LOOKS = 300
_LOOK_EVERY_S_MIN = 0.1
_MB = 1_000_000


@contextmanager
def watched_memory(process_ids: Mapping[str, int], run_s: float) -> Iterator[Samples]:
    """Look at each process's resident memory, in MB, throughout a run of so many seconds."""
    samples: Samples = {name: [] for name in process_ids}
    over = threading.Event()

    def look() -> None:
        while not over.wait(max(_LOOK_EVERY_S_MIN, run_s / MEMORY_LOOKS)):
            for name, process_id in process_ids.items():
                with contextlib.suppress(psutil.NoSuchProcess):
                    samples[name].append(psutil.Process(process_id).memory_info().rss / _MB)

    thread = threading.Thread(target=look, name="memory", daemon=True)
    thread.start()
    try:
        yield samples
    finally:
        over.set()
        thread.join()
