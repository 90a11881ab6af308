"""Nothing that goes wrong on this side changes the outcome of a submission, hangs, or shows the key."""

from __future__ import annotations

import asyncio
import io
import json
import logging
import subprocess
import sys
import textwrap
import time
import traceback
from collections.abc import Iterator
from typing import Any

import pytest

from tests.conftest import Connect, both_transports, every_engine
from tests.servers.faults import ROOT, record, running
from tests.servers.raw import TASK, RawServer, http
from wavespeed_api.api.media import upload_binary
from wavespeed_api.models import BinaryUpload
from wavespeed_api.types import File
from wavespeed_client import APIError, AsyncWaveSpeed, SubmissionUncertainError, WaveSpeed

pytestmark = pytest.mark.promise("interference", "no-hang", "key-hidden")

engine = every_engine

KEY = "-".join(["wsk", "live", "secret"])  # a traceback also shows the source


class Failing(logging.Filter):
    def filter(self, line: logging.LogRecord) -> bool:
        raise RuntimeError("a filter of the user's")


@pytest.fixture
def failing_logs() -> Iterator[None]:
    logger, failing = logging.getLogger("wavespeed_client"), Failing()
    level = logger.level
    logger.setLevel(logging.DEBUG)
    logger.addFilter(failing)
    yield
    logger.removeFilter(failing)
    logger.setLevel(level)


@pytest.mark.usefixtures("failing_logs")
def test_a_failing_log_filter_loses_no_task_and_makes_no_refusal(connect: Connect, raw_server: RawServer) -> None:
    ws = connect(base_url=raw_server.url, max_retries=0)
    raw_server.responses.append(http(200, TASK))
    assert ws.submit("a/b").id == "abc"
    raw_server.responses.append(b"")
    with pytest.raises(SubmissionUncertainError):
        ws.submit("a/b")
    raw_server.responses.append(http(401, b'{"code": 401, "message": "No."}'))
    with pytest.raises(APIError, match="No"):
        ws.submit("a/b")


@pytest.mark.parametrize("name", ["httpcore.http11", "httpx_retries.transport"])
def test_a_filter_that_fails_within_a_library_leaves_a_submission_uncertain(raw_server: RawServer, name: str) -> None:
    raw_server.responses.append(http(200, TASK))
    logger, failing = logging.getLogger(name), Failing()

    class Late(Failing):
        def filter(self, line: logging.LogRecord) -> bool:
            message = line.getMessage()
            return super().filter(line) if "response_body.complete" in message or "finished" in message else True

    failing = Late()
    level = logger.level
    logger.setLevel(logging.DEBUG)
    logger.addFilter(failing)
    try:
        with WaveSpeed("test-key", base_url=raw_server.url) as ws, pytest.raises(SubmissionUncertainError) as caught:
            ws.submit("a/b")
    finally:
        logger.removeFilter(failing)
        logger.setLevel(level)
    assert caught.value.task_id == "abc"
    assert len(raw_server.requests) == 1


def test_a_body_that_cannot_be_read_twice_is_sent_once(connect: Connect, raw_server: RawServer) -> None:
    raw_server.responses += [http(503, b"{}"), http(200, b'{"code": 200, "data": {"download_url": "https://e.com/a"}}')]
    body = BinaryUpload(file=File(payload=io.BytesIO(b"x" * 1000), file_name="a.png"))
    with pytest.raises(APIError):
        connect(base_url=raw_server.url).call(upload_binary, body=body)
    assert len(raw_server.requests) == 1


def test_modules_that_a_submission_needs_are_loaded_when_the_client_is_built() -> None:
    """A late import, while the response of a paid task is read, fails if no file descriptors are left."""
    program = """
    import asyncio, json, sys, httpx
    from wavespeed_client import AsyncWaveSpeed, WaveSpeed

    status = "created"

    def respond(request):
        data = {"id": f"task-{len(loaded)}-{status}", "status": status, "outputs": [{"a": 1}, "b"], "error": "no",
                "urls": {"get": "https://e.com"}, "timings": {"inference": 5}, "created_at": "2026-01-01T00:00:00Z"}
        return httpx.Response(200, json={"code": 200, "message": "", "data": data})

    loaded = set()
    httpx.Client(transport=httpx.MockTransport(respond)).get("https://e.com")
    sync = WaveSpeed("k", http_client=httpx.Client(transport=httpx.MockTransport(respond)))
    asynchronous = AsyncWaveSpeed("k", http_client=httpx.AsyncClient(transport=httpx.MockTransport(respond)))
    loaded = set(sys.modules)
    sync.submit("a/b", {"prompt": "x"})
    status = "completed"
    sync.submit("a/b/c", {"prompt": "x"})
    new = set(sys.modules) - loaded
    print(sorted(new))
    """
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(program)], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_a_lack_of_file_descriptors_makes_no_taken_submission_uncertain() -> None:
    program = """
    import asyncio, resource, sys
    from wavespeed_client import AsyncWaveSpeed, APIConnectionError

    async def main():
        async with AsyncWaveSpeed("k", base_url=sys.argv[1], max_retries=0, transport=sys.argv[2]) as ws:
            resource.setrlimit(resource.RLIMIT_NOFILE, (40, 40))
            jobs = [ws.submit("a/b", {"tag": f"{sys.argv[2]}{number}"}) for number in range(80)]
            results = await asyncio.gather(*jobs, return_exceptions=True)
        kinds = {type(one).__name__ for one in results}
        assert kinds == {"Task", "APIConnectionError"}, kinds
        print(sum(type(one).__name__ == "Task" for one in results))

    asyncio.run(main())
    """
    with running() as url:
        for transport in ("httpx", "aiohttp"):
            command = [sys.executable, "-c", textwrap.dedent(program), url, transport]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            assert done.returncode == 0, done.stderr
            accepted = record(url)["accepted"]
            assert int(done.stdout) == sum(count for tag, count in accepted.items() if tag.startswith(transport))


STORM = """
import json, signal, sys
from wavespeed_client import SubmissionUncertainError, WaveSpeed, WaveSpeedError

class Interruption(Exception):
    pass

def raising(*_):
    raise Interruption

signal.signal(signal.SIGALRM, raising)
ends = {}
with WaveSpeed("k", base_url=sys.argv[1], timeout=5, max_retries=0) as ws:
    for number in range(300):
        tag = f"storm{number}"
        try:
            try:
                signal.setitimer(signal.ITIMER_REAL, 0.0001 + number % 100 * 0.00003)
                ws.submit("a/b", {"tag": tag})
                ends[tag] = "task"
            finally:
                signal.setitimer(signal.ITIMER_REAL, 0)
        except SubmissionUncertainError:
            ends[tag] = "uncertain"
        except WaveSpeedError:
            ends[tag] = "unsent"
        except Interruption:
            ends[tag] = "interrupted"
print(json.dumps(ends))
"""


def test_a_signal_handler_that_raises_at_any_moment_hangs_nothing_and_decides_nothing() -> None:
    with running() as url:
        command = [sys.executable, "-c", STORM, url]
        done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, timeout=60, check=False)
        assert done.returncode == 0, done.stderr
        ends = json.loads(done.stdout)
        accepted = record(url)["accepted"]
    assert len(ends) == 300
    assert max(accepted.values()) == 1
    assert not {tag for tag, end in ends.items() if end == "unsent"} & set(accepted)


@both_transports
@pytest.mark.parametrize("turns", [1, 2, 3, 5, 8, 13, 21])
def test_a_cancelled_call_shows_no_key_in_its_traceback(transport: Any, turns: int) -> None:
    async def run(url: str) -> BaseException:
        async with AsyncWaveSpeed(KEY, base_url=url, transport=transport) as ws:
            task = asyncio.create_task(ws.submit("a/b", {"tag": f"{transport}{turns}", "fault": "silence"}))
            for _ in range(turns):
                await asyncio.sleep(0)
            if turns == 21:
                await asyncio.to_thread(until_struck, url)
            task.cancel()
            with pytest.raises(asyncio.CancelledError) as caught:
                await task
            return caught.value

    with running() as url:
        error = asyncio.run(run(url))
    assert KEY not in shown(error)


def until_struck(url: str) -> None:
    end = time.monotonic() + 20
    while not record(url)["struck"]["silence"]:
        assert time.monotonic() < end, "no request came"


def shown(error: BaseException) -> str:
    """Return a traceback with locals, as error reports show it."""
    return "".join(traceback.TracebackException.from_exception(error, capture_locals=True).format())


@pytest.mark.parametrize(
    "response",
    [
        http(401, b'{"code": 401, "message": "No such key: ' + KEY.encode() + b'"}'),
        http(500, KEY.encode()),
        http(200, b'{"code": 200, "data": {"id": "' + KEY.encode() + b' /"}}'),
        http(200, b'{"code": 200, "data": {"id": "abc", "status": {"' + KEY.encode() + b'": 1}, "urls": 5}}'),
        http(200, TASK, f"Content-Encoding: {KEY}"),
        http(200, KEY.encode() + b"x" * 20)[:-5],
    ],
)
def test_a_body_that_repeats_the_key_shows_in_no_traceback(
    connect: Connect, raw_server: RawServer, response: bytes
) -> None:
    ws = connect(KEY, base_url=raw_server.url, max_retries=0)
    for verb, argument in ((ws.submit, "a/b"), (ws.get, "abc"), (ws.balance, None)):
        raw_server.responses[:] = [response]
        try:
            verb(*[argument] * (argument is not None))
        except Exception as error:
            ours = [frame for frame in walk(error) if "/tests/" not in frame]
            assert KEY not in "".join(ours)


def walk(error: BaseException) -> list[str]:
    """Return each frame of a traceback with its locals, and the text of each error."""
    rendered = traceback.TracebackException.from_exception(error, capture_locals=True)
    found: list[str] = []
    while rendered is not None:
        found += [str(rendered), *(f"{frame.filename} {frame.locals}" for frame in rendered.stack)]
        rendered = rendered.__cause__ or (None if rendered.__suppress_context__ else rendered.__context__)
    return found


LOCKED = """
import sys
import httpcore._synchronization as synchronization
from wavespeed_client import WaveSpeed, WaveSpeedError

taken = synchronization.ThreadLock.__enter__

def interrupted(lock):
    taken(lock)
    raise RuntimeError("a signal handler's, before the lock's block has begun")

synchronization.ThreadLock.__enter__ = interrupted
ws = WaveSpeed("k", base_url=sys.argv[1], max_retries=0)
try:
    ws.submit("a/b", {"tag": "locked"})
except WaveSpeedError:
    pass
ws.close()
print("ended")
"""


def test_an_interruption_within_httpcores_lock_hangs_nothing() -> None:
    with running() as url:
        command = [sys.executable, "-c", LOCKED, url]
        done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, timeout=30, check=False)
    assert done.stdout == "ended\n", done.stderr
