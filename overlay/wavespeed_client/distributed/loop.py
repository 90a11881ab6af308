"""An event loop for a caller that may be in one already, such as a cell of a notebook."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from threading import Lock
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Coroutine

T = TypeVar("T")


def carried_out(work: Coroutine[Any, Any, T]) -> T:
    """Carry out work to its end in an event loop of its own, and return its result.

    The loop is in this thread, or in another one if this thread has a loop that runs. Ctrl-C cancels the work.
    """
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(work)
    runner = asyncio.Runner(loop_factory=asyncio.new_event_loop)  # so that it does not become this thread's loop
    loop = runner.get_loop()
    task = loop.create_task(work)
    ended = Lock()
    ended.acquire()

    def run() -> None:
        try:
            loop.run_until_complete(task)
        finally:
            ended.release()

    with ThreadPoolExecutor(1, "wavespeed-loop") as threads:
        threads.submit(int)  # starts the thread: Ctrl-C while one is started would leave the work behind
        try:
            threads.submit(run)
            # Ctrl-C just before a wait, or during one on Windows, is noticed only after it. In the Python code of a
            # Condition, which Future.result waits for, it may raise another error.
            while not ended.acquire(timeout=1.0):
                continue
            return task.result()
        except BaseException:
            loop.call_soon_threadsafe(task.cancel)
            raise
        finally:
            threads.submit(runner.close)
