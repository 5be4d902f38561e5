"""Jobs side by side: the longest begin first, and the results come in the order of the jobs."""

from __future__ import annotations

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
