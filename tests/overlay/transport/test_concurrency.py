"""One client, many users: no lost or mixed responses, one pool. Errors and tasks travel between processes."""

from __future__ import annotations

import asyncio
import multiprocessing
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from typing import Any

import pytest

from tests.conftest import TestClock, both_transports
from tests.servers.faults import record, running
from wavespeed_client import AsyncWaveSpeed, RateLimitError, Task, TaskFailedError, WaveSpeed

pytestmark = pytest.mark.promise("shared")


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with running() as url:
        yield url


def settled(server: str) -> dict[str, Counter[str]]:
    """Return what arrived, once the server has noticed which connections were closed.

    It has by the second request. The connections of both requests may count as open.
    """
    record(server)
    return record(server)


@pytest.mark.no_cover
def test_32_threads_share_a_client(server: str) -> None:
    with WaveSpeed("test-key", base_url=server) as ws, ThreadPoolExecutor(32) as pool:
        ws._clock = TestClock()
        tags = [f"thread{number}" for number in range(640)]
        tasks = list(pool.map(lambda tag: ws.run("a/b", {"tag": tag}, timeout=None), tags))
        assert [task.id for task in tasks] == [f"{tag}-none" for tag in tags]
        seen = settled(server)
        assert {tag: seen["accepted"][tag] for tag in tags} == dict.fromkeys(tags, 1)
        assert seen["connections"]["open"] <= 32 + 2


@pytest.mark.no_cover
@both_transports
def test_500_tasks_share_an_async_client(server: str, transport: Any) -> None:
    async def run() -> None:
        async with AsyncWaveSpeed("test-key", base_url=server, transport=transport) as ws:
            ws._clock = TestClock()
            tags = [f"{transport}task{number}" for number in range(500)]
            tasks = await asyncio.gather(*(ws.run("a/b", {"tag": tag}, timeout=None) for tag in tags))
            assert [task.id for task in tasks] == [f"{tag}-none" for tag in tags]
            seen = await asyncio.to_thread(settled, server)
            assert {tag: seen["accepted"][tag] for tag in tags} == dict.fromkeys(tags, 1)
            assert seen["connections"]["open"] <= 100 + 2

    asyncio.run(run())


def in_another_process(fails: bool) -> Task:
    task = Task(id="abc", model="a/b", status="failed", raw={"id": "abc"})
    if fails:
        raise TaskFailedError("no", task=task) from RateLimitError("slow down", status_code=429, retry_after=2.0)
    return task


def test_tasks_and_errors_come_back_from_a_process_pool() -> None:
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        task = pool.submit(in_another_process, fails=False).result()
        assert (task.id, task.raw) == ("abc", {"id": "abc"})
        with pytest.raises(TaskFailedError, match="no") as caught:
            pool.submit(in_another_process, fails=True).result()
        assert caught.value.task == task
