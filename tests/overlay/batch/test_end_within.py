"""Batches that are ended from within, by their inputs or by a hook of their requests, or whose loop is gone."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.overlay.batch.leaving import batch_threads, turns
from tests.overlay.batch.test_end import last_events
from tests.servers.in_process import Attach, Service, tagged
from wavespeed_client import AsyncWaveSpeed, ConfigurationError, WaveSpeed
from wavespeed_client.batch.threads import Workers
from wavespeed_client.testing import FakeWaveSpeed

pytestmark = pytest.mark.promise("batch-end")

MODEL = "provider/model"


def async_client(service: Service, **hooks: Any) -> AsyncWaveSpeed:
    ws = AsyncWaveSpeed("test-key", http_client=httpx.AsyncClient(transport=service, event_hooks=hooks))
    ws._clock = service.clock
    return ws


def test_a_client_that_is_closed_while_an_input_is_pulled_says_so(
    attach: Attach, service: Service, tmp_path: Path
) -> None:
    ws = attach()

    def inputs() -> Iterator[dict[str, str]]:
        yield {"tag": "a"}
        ws.client.close()
        yield {"tag": "b"}

    async def async_inputs() -> AsyncIterator[dict[str, str]]:
        yield {"tag": "a"}
        await ws.client.aclose()
        yield {"tag": "b"}

    given = inputs() if isinstance(ws.client, WaveSpeed) else async_inputs()
    with pytest.raises(ConfigurationError, match="closed while this batch ran"):
        ws.run_many(MODEL, given, max_in_flight=4, journal=tmp_path / "batch.jsonl")
    assert "b" not in service.submitted
    assert "submitting" not in last_events(tmp_path / "batch.jsonl")


def test_inputs_that_close_the_client_wait_for_the_responses(service: Service, tmp_path: Path) -> None:
    async def slow(request: httpx.Request) -> None:
        arrived.set()
        await turns()

    async def inputs() -> AsyncIterator[dict[str, str]]:
        yield {"tag": "a"}
        await arrived.wait()
        await ws.aclose()
        await asyncio.Event().wait()

    async def main() -> None:
        with pytest.raises(ConfigurationError, match="closed while this batch ran"):
            _ = [outcome async for outcome in ws.run_many(MODEL, inputs(), max_in_flight=4, journal=journal)]
        assert asyncio.all_tasks() == {asyncio.current_task()}

    arrived, journal = asyncio.Event(), tmp_path / "batch.jsonl"
    ws = async_client(service, request=[slow])
    asyncio.run(main())
    assert service.submitted == ["a"]
    assert last_events(journal) == ["submitted"]


def test_a_client_that_is_closed_by_a_hook_of_each_request_ends_the_batch(service: Service) -> None:
    async def close(request: httpx.Request) -> None:
        await asyncio.sleep(0)
        await ws.aclose()

    async def main() -> None:
        with pytest.raises(ConfigurationError, match="closed while this batch ran"):
            _ = [outcome async for outcome in ws.run_many(MODEL, tagged(9), max_in_flight=3)]
        await turns()
        assert asyncio.all_tasks() == {asyncio.current_task()}

    ws = async_client(service, request=[close])
    asyncio.run(main())
    assert len(service.submitted) <= 3


def test_an_iterable_that_goes_on_after_its_cancellation_is_not_pulled_again(service: Service) -> None:
    async def inputs() -> AsyncIterator[dict[str, str]]:
        yield {"tag": "a"}
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            yield {"tag": "b"}
            yield {"tag": "c"}

    async def main() -> None:
        async with async_client(service) as ws, aclosing(ws.run_many(MODEL, inputs(), max_in_flight=4)) as outcomes:
            await anext(outcomes)
        assert asyncio.all_tasks() == {asyncio.current_task()}

    asyncio.run(main())
    assert service.submitted == ["a"]


def test_a_client_is_closed_though_the_loop_of_its_batch_is_gone(fake: FakeWaveSpeed) -> None:
    code = """
import asyncio, sys
from wavespeed_client import AsyncWaveSpeed

async def begin():
    global outcomes
    outcomes = ws.run_many("provider/model", [{}, {}, {}])
    await anext(outcomes)

ws = AsyncWaveSpeed(sys.argv[2], base_url=sys.argv[1])
loop = asyncio.new_event_loop()
loop.run_until_complete(begin())
loop.close()  # as some runners do, which end neither tasks nor generators first
asyncio.run(ws.aclose())
print("closed")
"""
    command = [sys.executable, "-c", code, fake.url, fake.api_key]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout == "closed\n"
    assert 1 <= len(fake.calls) <= 3


def test_an_end_waits_even_in_a_thread_with_the_reused_id_of_the_scheduler(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The system gives the id of a thread that has ended to a new one. The scheduler ends when the batch breaks."""
    arrived, waiting = threading.Event(), threading.Event()
    left: list[int] = []
    wait_for_steps = Workers._wait_for_steps

    def waited(workers: Workers) -> None:
        waiting.set()
        wait_for_steps(workers)

    def hook(request: httpx.Request) -> None:
        if b"t1" in request.content:
            arrived.set()
            waiting.wait(20)
        else:
            arrived.wait(20)

    def end() -> None:
        if threading.get_ident() == workers._scheduler.ident:
            workers.end()
            left.append(len(workers._steps))

    monkeypatch.setattr(Workers, "_wait_for_steps", waited)
    service.polls = 0
    hooked = httpx.Client(transport=service, event_hooks={"request": [hook]})
    with hooked, WaveSpeed("test-key", http_client=hooked) as ws:
        ws._clock = service.clock
        outcomes = ws.run_many(MODEL, tagged(2), max_in_flight=2)
        next(outcomes)
        (workers,) = ws._at_work
        with workers._work:
            workers.batch.crashed(ConfigurationError("The disk is full."))
            workers._wake()
        workers._scheduler.join(20)
        for _ in range(100):
            thread = threading.Thread(target=end)
            thread.start()
            thread.join(20)
        waiting.set()
    assert set(left) <= {0}
    assert batch_threads() == []
