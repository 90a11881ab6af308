"""How a batch ends while submissions are on the wire: their answers still come into the journal."""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import aclosing
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.conftest import ROOT, Connect
from tests.fault_server import record, running
from tests.overlay.test_run_many import batch_threads
from tests.service import Attach, Service, stepper, tagged
from wavespeed_client import AsyncWaveSpeed, WaveSpeed
from wavespeed_client.polling import Clock

MODEL = "provider/model"


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with running() as url:
        yield url


def late(run: str) -> list[dict[str, Any]]:
    """Inputs of which one is answered at once and the others, which are sent beside it, late."""
    return [{"tag": f"{run}0"}, *({"tag": f"{run}{number}", "fault": "late"} for number in range(1, 4))]


def last_events(path: Path) -> list[str]:
    """The last event of each input."""
    found: dict[int, str] = {}
    for line in path.read_text("utf-8").splitlines()[1:]:
        told = json.loads(line)
        found[told["number"]] = told["event"]
    return list(found.values())


def until_arrived(server: str, run: str, count: int) -> None:
    end = time.monotonic() + 20
    while sum(run in tag for tag in record(server)["arrived"]) < count:
        assert time.monotonic() < end, "they were not submitted"


def test_an_early_end_waits_for_the_answers_of_submissions(connect: Connect, server: str, tmp_path: Path) -> None:
    ws = connect(base_url=server)
    ws.client._clock = Clock()
    run = f"early{type(ws.client).__name__}"
    step, close = stepper(ws, MODEL, late(run), journal=tmp_path / "batch.jsonl")
    assert step().input == {"tag": f"{run}0"}
    until_arrived(server, run, 4)
    close()
    assert sorted(last_events(tmp_path / "batch.jsonl")) == ["finished", "submitted", "submitted", "submitted"]


SYNC = """
import sys
from wavespeed_client import WaveSpeed
ws = WaveSpeed("test-key", base_url=sys.argv[1])
outcomes = ws.run_many("provider/model", eval(sys.argv[2]), journal=sys.argv[3])
print(next(outcomes).index, flush=True)
if sys.argv[4] == "wait":
    next(outcomes)
"""

ASYNC = """
import asyncio, sys
from wavespeed_client import AsyncWaveSpeed

async def main():
    global outcomes
    async with AsyncWaveSpeed("test-key", base_url=sys.argv[1]) as ws:
        outcomes = ws.run_many("provider/model", eval(sys.argv[2]), journal=sys.argv[3])
        print((await anext(outcomes)).index, flush=True)
        if sys.argv[4] == "wait":
            await anext(outcomes)

asyncio.run(main())
"""


@pytest.mark.parametrize("program", [SYNC, ASYNC], ids=["sync", "async"])
@pytest.mark.parametrize("end", ["wait", "leave"])
def test_ctrl_c_and_the_end_of_the_program_do_so_too(server: str, tmp_path: Path, program: str, end: str) -> None:
    run, journal = f"{end}{'sync' if program is SYNC else 'async'}-", tmp_path / "batch.jsonl"
    command = [sys.executable, "-c", program, server, repr(late(run)), str(journal), end]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "0\n"
        if end == "wait":
            until_arrived(server, run, 4)
            process.send_signal(signal.SIGINT)
        _, said = process.communicate()
    assert process.returncode == (0 if end == "leave" else -signal.SIGINT)
    assert said.strip().endswith("KeyboardInterrupt") if end == "wait" else said == ""
    events = last_events(journal)
    assert "submitting" not in events
    sent = sum(run in tag for tag in record(server)["arrived"])
    assert events.count("submitted") + events.count("finished") == sent


def test_a_second_cancellation_ends_it_at_once(server: str, tmp_path: Path) -> None:
    journal = tmp_path / "batch.jsonl"

    async def loop(ws: AsyncWaveSpeed) -> None:
        async with aclosing(ws.run_many(MODEL, [{"tag": "twice", "fault": "silence"}], journal=journal)) as outcomes:
            async for _ in outcomes:
                raise AssertionError

    async def main() -> None:
        async with AsyncWaveSpeed("test-key", base_url=server) as ws:
            running = asyncio.create_task(loop(ws))
            await asyncio.to_thread(until_arrived, server, "twice", 1)
            running.cancel()
            for _ in range(20):
                await asyncio.sleep(0)
            assert not running.done()
            running.cancel()
            with pytest.raises(asyncio.CancelledError):
                await running
            assert asyncio.all_tasks() == {asyncio.current_task()}
            found = [
                outcome async for outcome in ws.run_many(MODEL, [{"tag": "twice", "fault": "silence"}], journal=journal)
            ]
            assert found[0].uncertain

    asyncio.run(main())
    assert record(server)["arrived"]["twice"] == 1


def test_an_end_within_a_worker_does_not_wait_for_itself(service: Service) -> None:
    """As when garbage collection, which runs in whichever thread it likes, ends a loop that was left."""
    with WaveSpeed("test-key", http_client=httpx.Client(transport=service)) as ws:
        ws._clock = service.clock
        closed = threading.Event()

        def question(task: str, asked: int) -> Any:
            if task.startswith("t0"):
                return None
            if not taken.is_set():
                return service._told(task, "processing")
            outcomes.close()
            closed.set()
            return None

        taken = threading.Event()
        service.question = question
        outcomes = ws.run_many(MODEL, tagged(2), timeout=None)
        assert next(outcomes).index == 0
        taken.set()
        assert closed.wait(20)
        for thread in batch_threads():
            thread.join(20)
        assert batch_threads() == []


def test_a_client_that_is_closed_ends_its_batches_first(attach: Attach, service: Service, tmp_path: Path) -> None:
    ws = attach()
    service.question = lambda task, asked: None if task.startswith("t0") else service._told(task, "processing")
    step, _ = stepper(ws, MODEL, tagged(20), journal=tmp_path / "batch.jsonl", timeout=None)
    step()
    ws.end()
    events = last_events(tmp_path / "batch.jsonl")
    assert events.count("submitted") + events.count("finished") == len(service.submitted)
    assert "submitting" not in events
