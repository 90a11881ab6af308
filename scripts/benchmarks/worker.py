"""A process for one candidate or job: do the work that each line requests, and print the figures.

    python -m benchmarks.worker NAME URL

Each line of the standard input is a JSON object with arguments, and each line of the output one with figures.
"""

from __future__ import annotations

import asyncio
import json
import resource
import sys
from functools import partial
from inspect import iscoroutine
from typing import TYPE_CHECKING, Any

from benchmarks.candidates import ASYNC, SYNC
from benchmarks.usage import stopwatch

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.candidates import AsyncCall, Call


def one_by_one(call: Call, *, calls: int) -> dict[str, float]:
    """Make calls one after another."""
    took = stopwatch()
    for _ in range(calls):
        call()
    return took()


async def at_once(call: AsyncCall, *, calls: int, concurrency: int = 1) -> dict[str, float]:
    """Make calls, this many at a time."""
    took, left = stopwatch(), iter(range(calls))

    async def work() -> None:
        for _ in left:
            await call()

    await asyncio.gather(*(work() for _ in range(concurrency)))
    return took()


def work_of(name: str, url: str) -> Callable[..., Any]:
    """Return the work with a name, as a function of the arguments in a line."""
    if name in SYNC:
        return partial(one_by_one, SYNC[name](url))
    if name in ASYNC:
        return partial(at_once, ASYNC[name](url))
    from benchmarks.jobs import JOBS  # loads sniffio, which one candidate must not find loaded

    return partial(JOBS[name], url)


def main() -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    work = work_of(*sys.argv[1:])
    with asyncio.Runner() as runner:
        for line in sys.stdin:
            found = work(**json.loads(line))
            print(json.dumps(runner.run(found) if iscoroutine(found) else found), flush=True)


if __name__ == "__main__":
    main()
