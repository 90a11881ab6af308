"""One httpx transport for each request under way: connections are kept, reused and closed."""

from __future__ import annotations

import asyncio
import gc
import itertools
import socket
import threading
import time
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from types import SimpleNamespace
from typing import Any

import httpcore
import pytest

from tests.conftest import Connect
from tests.servers.raw import TASK, RawRequest, RawServer, kept, serving
from wavespeed_client import AsyncWaveSpeed, Task, WaveSpeed
from wavespeed_client.transport.httpx1 import pools
from wavespeed_client.transport.httpx1.pools import PoolSet

pytestmark = pytest.mark.promise("no-hang")


class Meeting:
    """A server that keeps connections, and responds once as many requests are there as the barrier waits for."""

    def __init__(self) -> None:
        self.barrier = threading.Barrier(1)
        self._numbers = itertools.count()

    def __call__(self, request: RawRequest) -> bytes:
        self.barrier.wait(60)
        return response(request.line, next(self._numbers))


def response(line: str, number: int) -> bytes:
    """Return the response to a request. It names a new task for each submission."""
    return kept(200, TASK if line.startswith("GET") else TASK.replace(b"abc", b"task-%d" % number))


@pytest.fixture
def meeting() -> Meeting:
    return Meeting()


@pytest.fixture
def server(meeting: Meeting) -> Iterator[RawServer]:
    with serving(meeting, keeps=True) as server:
        yield server


def by_threads(server: RawServer, meeting: Meeting, rounds: list[int], then: Callable[[], object]) -> None:
    with WaveSpeed("test-key", base_url=server.url) as ws:
        for count in rounds:
            meeting.barrier = threading.Barrier(count)
            with ThreadPoolExecutor(count) as threads:
                list(threads.map(ws.submit, ["a/b"] * count))
        then()


def by_tasks(server: RawServer, meeting: Meeting, rounds: list[int], then: Callable[[], object]) -> None:
    async def run() -> None:
        async with AsyncWaveSpeed("test-key", base_url=server.url) as ws:
            for count in rounds:
                meeting.barrier = threading.Barrier(count)
                await asyncio.gather(*(ws.submit("a/b") for _ in range(count)))
            then()

    asyncio.run(run())


both = pytest.mark.parametrize("submitted", [by_threads, by_tasks])


@both
def test_connections_are_used_again(server: RawServer, meeting: Meeting, submitted: Callable[..., None]) -> None:
    submitted(server, meeting, [8, 8, 1, 5, 1], lambda: None)
    assert server.connections == 8


@both
def test_connections_that_were_idle_for_long_are_closed(
    server: RawServer, meeting: Meeting, submitted: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pools, "READ_IDLE_SECONDS", 0.0)

    def then() -> None:
        assert all(server.ended.acquire(timeout=60) for _ in range(8))
        assert not server.ended.acquire(blocking=False)

    submitted(server, meeting, [8, 1], then)
    assert server.ended.acquire(timeout=60)


def test_a_read_uses_a_connection_that_has_idled_for_longer_than_a_submission_does(
    server: RawServer, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    skipped = [0.0]
    monkeypatch.setattr(pools, "time", SimpleNamespace(monotonic=lambda: time.monotonic() + skipped[0]))
    ws = connect(base_url=server.url)
    ws.submit("a/b")
    made: list[int] = []
    for seconds, verb, argument in [
        (4, ws.submit, "a/b"),
        (6, ws.get, "abc"),
        (6, ws.submit, "a/b"),  # both connections are kept now
        (19, ws.get, "abc"),
        (21, ws.get, "abc"),
    ]:
        skipped[0] += seconds
        verb(argument)
        made.append(server.connections)
    assert made == [1, 1, 2, 2, 3]


async def cancelled(submission: Coroutine[Any, Any, Task], turns: int) -> bool:
    """Return whether a submission could be cancelled after so many turns of the loop."""
    task = asyncio.create_task(submission)
    for _ in range(turns):
        await asyncio.sleep(0)
    task.cancel()
    await asyncio.wait([task])
    return task.cancelled()


def test_a_cancellation_at_any_moment_leaves_every_pool_usable() -> None:
    connections, numbers = {"made": 0, "open": 0}, itertools.count()

    async def respond(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connections["made"] += 1
        connections["open"] += 1
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            while await reader.readuntil(b"{}"):
                writer.write(response("POST", next(numbers)))
        connections["open"] -= 1
        writer.close()

    async def run() -> None:
        # In the loop of the client, so that its response comes within a few turns.
        server = await asyncio.start_server(respond, "127.0.0.1", 0)
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        async with server:
            async with AsyncWaveSpeed("test-key", base_url=url) as ws:
                for turns in range(60):
                    await cancelled(ws.submit("a/b"), turns)
                    await ws.submit("a/b")
                    before = connections["made"]
                    await ws.submit("a/b")
                    assert connections == {"made": before, "open": 1}, turns
            for _ in range(300):  # for the server to notice
                await asyncio.sleep(0)
            assert connections["open"] == 0

    asyncio.run(run())


def test_a_request_that_is_cancelled_at_any_moment_leaves_nothing() -> None:
    def left() -> int:
        gc.collect()
        return sum(isinstance(thing, httpcore.AsyncHTTPConnection) for thing in gc.get_objects())

    async def run(url: str) -> None:
        async with AsyncWaveSpeed("test-key", base_url=url) as ws:
            for turns in range(60):
                assert await cancelled(ws.submit("a/b"), turns)
            assert left() == before

    before = left()
    with socket.create_server(("127.0.0.1", 0)) as silent:
        asyncio.run(run(f"http://127.0.0.1:{silent.getsockname()[1]}"))


def test_the_pool_used_last_is_taken_first() -> None:
    pool_set, new = PoolSet[str](), iter("abc")
    assert [pool_set.take(lambda: next(new), 0.0) for _ in range(3)] == ["a", "b", "c"]
    assert all(pool_set.keep(pool, now) for now, pool in enumerate("bac"))
    assert [pool_set.take(lambda: next(new), 0.0) for _ in range(2)] == ["c", "a"]


def test_a_pool_that_has_idled_for_too_long_is_left_to_others() -> None:
    pool_set, new = PoolSet[str](), iter("ab")
    pool_set.take(lambda: next(new), 0.0)
    pool_set.keep("a", 7.0)
    assert pool_set.take(lambda: next(new), 7.5) == "b"
    assert pool_set.take(lambda: next(new), 7.0) == "a"


def test_pools_that_were_idle_for_long_are_handed_out_to_be_closed() -> None:
    pool_set, new = PoolSet[str](), iter("abc")
    for _ in range(3):
        pool_set.take(lambda: next(new), 0.0)
    for now, pool in enumerate("abc"):
        pool_set.keep(pool, now)
    assert pool_set.take_idle(1.5) == ["a", "b"]
    assert pool_set.take_idle(1.5) == []
    assert pool_set.take(lambda: "new", 0.0) == "c"


def test_a_closed_pool_set_keeps_no_pool() -> None:
    pool_set, new = PoolSet[str](), iter("abc")
    for _ in range(3):
        pool_set.take(lambda: next(new), 0.0)
    pool_set.forget("b")
    assert pool_set.keep("a", 0.0)
    assert sorted(pool_set.close()) == ["a", "c"]
    assert not pool_set.keep("c", 0.0)


def test_a_pool_is_made_outside_the_lock() -> None:
    """Garbage collection while it is made may wait for a thread that needs the lock."""
    pool_set = PoolSet[str]()

    def new() -> str:
        other = threading.Thread(target=pool_set.take_idle, args=(0.0,))
        other.start()
        other.join(60)
        assert not other.is_alive()
        return "a"

    assert pool_set.take(new, 0.0) == "a"


def test_a_pool_that_is_given_back_twice_still_has_one_request_at_a_time() -> None:
    pool_set, new = PoolSet[str](), iter("ab")
    pool_set.take(lambda: next(new), 0.0)
    assert pool_set.keep("a", 0.0)
    assert pool_set.keep("a", 0.0)
    assert [pool_set.take(lambda: next(new), 0.0) for _ in range(2)] == ["a", "b"]
