"""How responses come to a loop: all that have come wake it once, and no waiter is left behind."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import Future

import pytest

from wavespeed_client.batch.postgres.arrivals import Arrivals

pytestmark = pytest.mark.promise("database-outage")


async def begun(arrivals: Arrivals, futures: list[Future[None]]) -> list[asyncio.Task[None]]:
    """Begin tasks that wait for these futures."""
    waiting = [asyncio.create_task(arrivals.wait(future)) for future in futures]
    await asyncio.sleep(0)
    return waiting


def settle(futures: list[Future[None]]) -> None:
    for future in futures:
        future.set_result(None)


def test_a_group_wakes_its_loop_once(monkeypatch: pytest.MonkeyPatch) -> None:
    async def run() -> None:
        loop, wakes = asyncio.get_running_loop(), list[object]()
        call_soon = loop.call_soon_threadsafe
        monkeypatch.setattr(loop, "call_soon_threadsafe", lambda *given: [wakes.append(given), call_soon(*given)])
        arrivals, futures = Arrivals(), [Future[None]() for _ in range(100)]
        waiting = await begun(arrivals, futures)
        settle(futures)  # within the loop's turn, so that it takes none in between
        await asyncio.gather(*waiting)
        assert len(wakes) == 1
        settle(last := [Future[None]()])
        await arrivals.wait(last[0])
        assert len(wakes) == 2

    asyncio.run(run())


def test_nobody_is_forgotten_whoever_settles() -> None:
    async def run() -> None:
        arrivals, futures = Arrivals(), [Future[None]() for _ in range(4_000)]
        waiting = await begun(arrivals, futures)
        threads = [threading.Thread(target=settle, args=(futures[number::4],)) for number in range(4)]
        for thread in threads:
            thread.start()
        await asyncio.wait_for(asyncio.gather(*waiting), 60)

    asyncio.run(run())


def test_who_has_gone_holds_nobody_up() -> None:
    async def run() -> None:
        arrivals, futures = Arrivals(), [Future[None]() for _ in range(2)]
        gone, stays = await begun(arrivals, futures)
        gone.cancel()
        settle(futures)
        await stays
        assert gone.cancelled()
        assert not futures[0].cancelled()

    asyncio.run(run())


def test_a_loop_that_is_closed_is_passed_over() -> None:
    future = Future[None]()

    async def run() -> None:
        (waiting,) = await begun(Arrivals(), [future])
        waiting.cancel()

    asyncio.run(run())
    settle([future])
    assert future.done()
