"""Jobs side by side: the longest first, results in the jobs' order, who stops one stops all."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from scenarios.run_together import together


def test_the_longest_begin_first_and_the_results_keep_their_order() -> None:
    begun: list[int] = []

    async def work(job: int) -> str:
        begun.append(job)
        return f"done {job}"

    with together(work, 1, length=float) as run_all:
        results = list(run_all([2, 3, 1, 3]))
    assert begun == [3, 3, 2, 1]
    assert results == ["done 2", "done 3", "done 1", "done 3"]


@contextmanager
def _ctrl_c_is(handler: signal.Handlers | None) -> Iterator[None]:
    before = signal.getsignal(signal.SIGINT)
    signal.signal(signal.SIGINT, handler or signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


# A shell has Ctrl-C ignored by what it starts in the background.
@pytest.mark.parametrize(
    ("number", "ctrl_c"),
    [(signal.SIGINT, None), (signal.SIGTERM, None), (signal.SIGTERM, signal.SIG_IGN)],
)
def test_who_is_stopped_ends_even_jobs_that_do_not_notice_the_first_time(
    number: signal.Signals, ctrl_c: signal.Handlers | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("scenarios.run_together.CANCEL_AGAIN_AFTER_S", 0.01)
    ended: list[int] = []

    async def work(job: int) -> None:
        if job == 2:
            os.kill(os.getpid(), number)
        try:
            await asyncio.sleep(300)
        except asyncio.CancelledError:
            ended.append(job)
        try:
            await asyncio.sleep(300)
        finally:
            ended.append(job)

    with pytest.raises(KeyboardInterrupt), _ctrl_c_is(ctrl_c), together(work, 2) as run_all:
        list(run_all([1, 2, 3]))
    assert sorted(ended) == [1, 1, 2, 2]
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL


def test_a_job_that_fails_ends_the_others_and_is_what_is_told() -> None:
    ended: list[int] = []

    async def work(job: int) -> None:
        if job == 2:
            raise ValueError("no such job")
        try:
            await asyncio.sleep(300)
        finally:
            ended.append(job)

    with pytest.raises(ValueError, match="no such job"), together(work, 2) as run_all:
        list(run_all([2, 1]))
    assert ended == [1]
