"""How a batch ends while submissions are on the wire: their responses still reach the journal."""

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
from tests.overlay.batch.leaving import batch_threads
from tests.servers.faults import record, running
from tests.servers.in_process import Attach, Service, stepper, tagged
from wavespeed_client import AsyncWaveSpeed, ConfigurationError, WaveSpeed
from wavespeed_client.batch import options
from wavespeed_client.batch.threads import Workers
from wavespeed_client.clock import Clock
from wavespeed_client.transport.submission import SYNC_MODE_SECONDS

pytestmark = pytest.mark.promise("batch-responses")

MODEL = "provider/model"


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with running() as url:
        yield url


def late(run: str) -> list[dict[str, Any]]:
    """Return inputs that are sent together: one gets its response at once, the others late."""
    return [{"tag": f"{run}0"}, *({"tag": f"{run}{number}", "fault": "late"} for number in range(1, 4))]


def last_events(path: Path) -> list[str]:
    """Return the last event of each input."""
    found: dict[int, str] = {}
    for line in path.read_text("utf-8").splitlines()[1:]:
        entry = json.loads(line)
        found[entry["number"]] = entry["event"]
    return list(found.values())


def until_arrived(server: str, run: str, count: int) -> None:
    end = time.monotonic() + 20
    while sum(run in tag for tag in record(server)["arrived"]) < count:
        assert time.monotonic() < end, "they were not submitted"


def test_an_early_end_waits_for_the_responses_to_submissions(connect: Connect, server: str, tmp_path: Path) -> None:
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
def test_ctrl_c_and_the_end_of_the_program_wait_for_the_responses_to_submissions(
    server: str, tmp_path: Path, program: str, end: str
) -> None:
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


def test_a_second_cancellation_ends_the_batch_at_once(server: str, tmp_path: Path) -> None:
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


def test_a_batch_that_ends_within_a_worker_does_not_wait_for_that_worker(service: Service) -> None:
    """Garbage collection, which may run in any thread, does this to a loop that was left."""
    with WaveSpeed("test-key", http_client=httpx.Client(transport=service)) as ws:
        ws._clock = service.clock
        closed = threading.Event()

        def poll(task: str, polls: int) -> Any:
            if task.startswith("t0"):
                return None
            if not taken.is_set():
                return service.prediction(task, "processing")
            outcomes.close()
            closed.set()
            return None

        taken = threading.Event()
        service.poll = poll
        outcomes = ws.run_many(MODEL, tagged(2), timeout=None)
        assert next(outcomes).index == 0
        taken.set()
        assert closed.wait(20)
        for thread in batch_threads():
            thread.join(20)
        assert batch_threads() == []


def test_a_client_that_is_closed_ends_its_batches_first(attach: Attach, service: Service, tmp_path: Path) -> None:
    ws = attach()
    service.poll = lambda task, polls: None if task.startswith("t0") else service.prediction(task, "processing")
    step, _ = stepper(ws, MODEL, tagged(20), journal=tmp_path / "batch.jsonl", timeout=None)
    step()
    ws.end()
    events = last_events(tmp_path / "batch.jsonl")
    assert events.count("submitted") + events.count("finished") == len(service.submitted)
    assert "submitting" not in events


def test_a_second_ctrl_c_loses_no_submission_that_is_on_the_wire(
    server: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """It comes while the batch waits for the responses, and there is no journal."""

    def interrupted(workers: Workers) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Workers, "_wait_for_steps", interrupted)
    with WaveSpeed("test-key", base_url=server) as ws:
        outcomes = ws.run_many(MODEL, late("second"))
        next(outcomes)
        until_arrived(server, "second", 4)
        with pytest.raises(KeyboardInterrupt):
            outcomes.close()
        for thread in batch_threads():
            thread.join(20)
    # Each is logged, whether its response came before the second Ctrl-C or after.
    assert all(f"second{number}-none" in caplog.text for number in range(1, 4))
    assert ("that got no response" in caplog.text) == ("was started, but its batch" in caplog.text)


def test_if_threads_cannot_start_the_others_do_their_work(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    start, started, refused = threading.Thread.start, [], threading.Event()

    def refuse_the_third(thread: threading.Thread) -> None:
        if thread.name.startswith("wavespeed-batch_"):
            started.append(thread)
            if len(started) > 2:
                refused.set()
                raise RuntimeError("can't start new thread")
        start(thread)

    def submission(number: int, given: dict[str, Any]) -> None:
        assert refused.wait(20)  # both threads are at work until then

    service.submission = submission

    monkeypatch.setattr(threading.Thread, "start", refuse_the_third)
    with httpx.Client(transport=service) as http, WaveSpeed("test-key", http_client=http) as ws:
        ws._clock = service.clock
        outcomes = list(ws.run_many(MODEL, tagged(9), max_in_flight=5))
    assert [outcome.error for outcome in outcomes] == [None] * 9
    assert refused.is_set()
    assert batch_threads() == []


def test_a_batch_that_can_start_no_thread_is_a_clear_error(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    with httpx.Client(transport=service) as http, WaveSpeed("test-key", http_client=http) as ws:
        ws._clock = service.clock
        outcomes = ws.run_many(MODEL, tagged(2))
        monkeypatch.setattr(threading.Thread, "start", refuse)
        with pytest.raises(ConfigurationError, match="No thread can be started"):
            next(outcomes)
    assert service.submitted == []


def test_a_fork_neither_goes_on_with_the_batch_nor_touches_its_journal(server: str, tmp_path: Path) -> None:
    code = """
import os, signal, sys
from wavespeed_client import ConfigurationError, WaveSpeed
with WaveSpeed("test-key", base_url=sys.argv[1]) as ws:
    inputs = [{"tag": f"fork{number}"} for number in range(8)]
    outcomes = ws.run_many("provider/model", inputs, max_in_flight=2, journal=sys.argv[2])
    next(outcomes)
    child = os.fork()
    if not child:
        signal.alarm(60)
        try:
            next(outcomes)
        except ConfigurationError as error:
            os._exit(7 if "fork" in str(error) else 8)
        os._exit(9)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
    print(len(list(outcomes)))
"""
    journal = tmp_path / "batch.jsonl"
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code, server, str(journal)], capture_output=True, text=True, check=True
    )
    assert done.stdout == "7\n"
    assert last_events(journal) == ["finished"] * 8


def test_an_early_end_gives_up_a_submission_that_never_ends(
    service: Service, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(options, "MARGIN", -SYNC_MODE_SECONDS)
    arrived, released = threading.Event(), threading.Event()
    given_up = threading.Timer(20, released.set)
    given_up.start()

    def submission(number: int, given: dict[str, Any]) -> None:
        if number:
            arrived.set()
            released.wait()

    service.polls, service.submission = 0, submission
    journal = tmp_path / "batch.jsonl"
    with httpx.Client(transport=service) as http, WaveSpeed("test-key", http_client=http) as ws:
        ws._clock = service.clock
        outcomes = ws.run_many(MODEL, tagged(2), journal=journal)
        next(outcomes)
        assert arrived.wait(20)
        outcomes.close()
        assert not released.is_set()
        given_up.cancel()
        released.set()
        for thread in batch_threads():
            thread.join()
    assert last_events(journal) == ["finished", "finished"]


def test_a_slow_input_does_not_withhold_what_has_finished(service: Service) -> None:
    pulled: list[int] = []
    handed: list[int] = []

    def inputs() -> Iterator[dict[str, str]]:
        for number in range(10):
            if number == 3:
                (workers,) = ws._at_work
                end = time.monotonic() + 20
                while not (handed or workers.batch.has_outcomes):
                    assert time.monotonic() < end, "nothing has finished"
            pulled.append(number)
            yield {"tag": str(number)}

    with httpx.Client(transport=service) as http, WaveSpeed("test-key", http_client=http) as ws:
        ws._clock = service.clock
        outcomes = ws.run_many(MODEL, inputs(), max_in_flight=10)
        handed.append(next(outcomes).index)
        assert len(pulled) <= 4
        handed.extend(outcome.index for outcome in outcomes)
    assert sorted(handed) == list(range(10))
