"""A wait ends in time, whatever the server does, and leaves nothing running."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

import pytest

from tests.conftest import Connect, both_transports, every_engine
from tests.servers.faults import ROOT, record, running
from wavespeed_client import AsyncWaveSpeed, TaskTimeoutError
from wavespeed_client.clock import Clock

pytestmark = pytest.mark.promise("wait-id", "wait-time", "wait-clean")

engine = every_engine

SECONDS = 0.6


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with running() as url:
        yield url


@pytest.mark.parametrize("seconds", [0, SECONDS])
@pytest.mark.parametrize("fault", ["silence", "429hour", "dripbody", "driphead"])
def test_a_wait_ends_with_its_time(
    connect: Connect, server: str, engine: str, fault: str, seconds: float, record_property: Any
) -> None:
    ws = connect(base_url=server)
    if fault == "driphead" and engine == "sync":
        return  # each byte of a header buys a sync client more time: SECURITY.md says so
    ws.client._clock = Clock()
    name = f"{engine}{seconds * 10:g}"
    before = record(server)["struck"][fault]
    began = time.monotonic()
    with pytest.raises(TaskTimeoutError) as caught:
        ws.wait(f"{name}-{fault}", timeout=seconds)
    record_property("late", time.monotonic() - began - seconds)
    assert caught.value.task.status == "unknown"
    polls = record(server)["struck"][fault] - before
    assert polls == 1 if fault != "429hour" else polls >= 1


def test_a_run_is_not_cut_short_while_it_submits(connect: Connect, server: str, engine: str) -> None:
    """The response to a submission may come after the timeout of the run: without it the task would be lost."""
    ws = connect(base_url=server, timeout=20)
    ws.client._clock = Clock()
    tag = f"late-{engine}"
    with pytest.raises(TaskTimeoutError) as caught:
        ws.run("a/b", {"tag": tag, "fault": "late", "poll_fault": "silence"}, timeout=0)
    assert caught.value.task.id.startswith("late-")
    assert caught.value.task.status == "created"


def connections(server: str) -> int:
    """Count the open connections at the server, except the one that requests the count."""
    return record(server)["connections"]["open"] - 1


def until_closed(server: str, before: int) -> None:
    """Repeat the request until the server has noticed a hang-up, or the test's own time is up."""
    end = time.monotonic() + 20
    while connections(server) > before:
        assert time.monotonic() < end, "a connection is still open"


def until_kept_waiting(server: str, struck: int) -> None:
    """Wait until one more request is met by silence."""
    end = time.monotonic() + 20
    while record(server)["struck"]["silence"] == struck:
        assert time.monotonic() < end, "no request came"


@both_transports
def test_a_cancelled_wait_leaves_no_task_and_no_connection(server: str, transport: Any) -> None:
    before, struck = connections(server), record(server)["struck"]["silence"]

    async def run() -> None:
        async with AsyncWaveSpeed("test-key", base_url=server, transport=transport) as ws:
            waiting = asyncio.create_task(ws.wait("cancelled-silence"))
            await asyncio.to_thread(until_kept_waiting, server, struck)
            waiting.cancel()
            with pytest.raises(asyncio.CancelledError) as caught:
                await waiting
            assert "task cancelled-silence" in caught.value.__notes__[0]
            assert asyncio.all_tasks() == {asyncio.current_task()}
            await asyncio.to_thread(until_closed, server, before)

    asyncio.run(run())


INTERRUPTED = """
import sys
from wavespeed_client import WaveSpeed
with WaveSpeed("test-key", base_url=sys.argv[1]) as ws:
    try:
        ws.wait("interrupted-silence")
    except KeyboardInterrupt as error:
        print(error.__notes__)
"""


def test_ctrl_c_ends_a_wait_and_names_the_task(server: str) -> None:
    before, struck = connections(server), record(server)["struck"]["silence"]
    command = [sys.executable, "-c", INTERRUPTED, server]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        until_kept_waiting(server, struck)
        process.send_signal(signal.SIGINT)
        said, _ = process.communicate()
    assert process.returncode == 0
    assert "task interrupted-silence" in said
    until_closed(server, before)
