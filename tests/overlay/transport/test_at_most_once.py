"""A submission is sent once, unless it certainly was not accepted; an uncertain one is an error."""

import asyncio
import gc
import json
import logging
import socket
import threading
from collections.abc import Iterator
from typing import Literal

import httpx
import pytest

from tests.conftest import Connect, Driven, begun, every_engine
from tests.servers.raw import BUSY, TASK, RawServer, envelope, http
from wavespeed_api.api.tasks import submit_task
from wavespeed_client import (
    APIConnectionError,
    APIError,
    AsyncWaveSpeed,
    ConfigurationError,
    InvalidInputError,
    RateLimitError,
    SubmissionUncertainError,
    TaskInput,
    UnexpectedResponseError,
    WaveSpeed,
)
from wavespeed_client.testing import FakeWaveSpeed
from wavespeed_client.transport import retry

pytestmark = pytest.mark.promise(
    "once", "named-task", "lost-response", "any-body", "closed", "borrowed-connect", "aiohttp-connect"
)

engine = every_engine


def test_a_lost_response_leaves_a_submission_uncertain_and_sent_once(connect: Connect, raw_server: RawServer) -> None:
    for sent in (b"", b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{", b"garbage\r\n\r\n", http(200, b"{}")[:-1]):
        raw_server.responses.append(sent)
        raw_server.requests.clear()
        with pytest.raises(SubmissionUncertainError, match="before you submit it again") as caught:
            connect(base_url=raw_server.url).submit("a/b", {"prompt": "a cat"})
        assert (caught.value.model, caught.value.input) == ("a/b", {"prompt": "a cat"})
        assert caught.value.submitted_at.tzinfo is not None
        assert len(raw_server.requests) == 1


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (200, b""),
        (200, b"null"),
        (200, b"[]"),
        (200, b'"text"'),
        (200, b"\xff\xfe"),
        (200, b"["),
        (200, b"[" * 200_000),
        (200, b'{"code": 200}'),
        (200, b'{"data": null}'),
        (200, b'{"data": {}}'),
        (200, b'{"data": []}'),
        (200, b'{"data": "abc"}'),
        (200, b'{"data": {"id": 5}}'),
        (200, b'{"error": "odd"}'),
        (200, envelope(503)),
        (200, envelope(5004)),
        (204, b""),
        (302, b""),
        (408, envelope(408)),
        (499, envelope(499)),
        (500, b"<html>"),
        (502, envelope(502)),
        (520, b""),
        (599, b"{}"),
    ],
)
def test_a_response_that_proves_nothing_leaves_a_submission_uncertain(
    connect: Connect, raw_server: RawServer, status: int, body: bytes
) -> None:
    ws = connect(base_url=raw_server.url, max_retries=3)
    raw_server.responses.append(http(status, body))
    with pytest.raises(SubmissionUncertainError) as caught:
        ws.submit("a/b", {})
    assert len(raw_server.requests) == 1
    assert len(str(caught.value)) < 1500
    raw_server.responses.extend([http(status, body)] * 4)
    with pytest.raises((APIError, UnexpectedResponseError)):
        ws.get("abc")


@pytest.mark.parametrize("code", [400, 401, 403, 404, 429, 500])
def test_a_refusal_under_http_200_is_classed_by_its_code(connect: Connect, raw_server: RawServer, code: int) -> None:
    ws = connect(base_url=raw_server.url, max_retries=0)
    raw_server.responses.append(http(200, envelope(code)))
    with pytest.raises(APIError) as caught:
        ws.submit("a/b", {})
    assert (caught.value.status_code, caught.value.code, caught.value.message) == (code, code, "No.")


def test_a_submission_is_sent_again_only_when_it_was_refused_for_now(connect: Connect, raw_server: RawServer) -> None:
    raw_server.responses += [http(429, BUSY), http(200, envelope(429)), http(200, TASK)]
    assert connect(base_url=raw_server.url).submit("a/b", {}).id == "abc"
    assert len(raw_server.requests) == 3
    assert len(set(raw_server.requests)) == 1


def test_without_retries_the_first_refusal_is_raised(connect: Connect, raw_server: RawServer) -> None:
    raw_server.responses += [http(429, BUSY, "Retry-After: 7"), http(200, TASK)]
    with pytest.raises(RateLimitError) as caught:
        connect(base_url=raw_server.url, max_retries=0).submit("a/b", {})
    assert caught.value.retry_after == 7
    assert len(raw_server.requests) == 1


def test_no_connection_means_that_nothing_was_sent(connect: Connect) -> None:
    ws = connect(base_url="http://127.0.0.1:9", max_retries=1)
    with pytest.raises(APIConnectionError, match=r"could not be sent to .*, so nothing was started"):
        ws.submit("a/b")
    with pytest.raises(APIConnectionError, match=r"could not be sent to 127\.0\.0\.1:9 \("):
        ws.get("abc")


def test_a_refused_connection_is_tried_again(connect: Connect, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as service:
        service.bind(("127.0.0.1", 0))  # it does not listen yet
        seen: list[bytes] = []

        def serve() -> None:
            connection, _ = service.accept()
            with connection:
                seen.append(connection.recv(65536))
                connection.sendall(http(200, TASK))

        serving = threading.Thread(target=serve)

        def opened(*_: object) -> None:
            service.listen()
            serving.start()

        async def opened_async(*_: object) -> None:
            opened()

        monkeypatch.setattr(retry.Policy, "sleep", opened)
        monkeypatch.setattr(retry.Policy, "asleep", opened_async)
        ws = connect(base_url=f"http://127.0.0.1:{service.getsockname()[1]}", max_retries=1)
        assert ws.submit("a/b").id == "abc"
        serving.join()
    assert len(seen) == 1


@pytest.fixture
def collected() -> Iterator[None]:
    """Collect garbage after the test and the end of its clients, so that no other test gets the warnings."""
    yield
    gc.collect()


# A connection whose handshake is cancelled is closed by garbage collection only.
left_to_garbage_collection = pytest.mark.filterwarnings(
    "ignore::pytest.PytestUnraisableExceptionWarning", "ignore::ResourceWarning"
)


@left_to_garbage_collection  # an event loop that was held up finds the time for the whole attempt up, and cancels it
@pytest.mark.usefixtures("collected")
@pytest.mark.parametrize("verb", ["submit", "get"])
def test_no_response_to_the_handshake_means_that_nothing_was_sent(connect: Connect, engine: str, verb: str) -> None:
    seconds = 1.0 if engine == "aiohttp" else 0.2  # its first handshake in a process needs a moment
    with socket.create_server(("127.0.0.1", 0)) as silent:
        ws = connect(base_url=f"https://127.0.0.1:{silent.getsockname()[1]}", timeout=seconds, max_retries=1)
        with pytest.raises(APIConnectionError, match="could not be sent"):
            getattr(ws, verb)("a/b" if verb == "submit" else "abc")


@pytest.mark.parametrize("prefix", ["/gate", "/api/v3/media", "/api/v3/models/x", "/api"])
def test_a_submission_is_known_below_any_base_url(connect: Connect, raw_server: RawServer, prefix: str) -> None:
    raw_server.responses.append(http(502, b""))
    with pytest.raises(SubmissionUncertainError) as caught:
        connect(base_url=raw_server.url + prefix).submit("a/b", {"prompt": "a cat"})
    assert caught.value.model == "a/b"
    assert raw_server.requests[0].startswith(f"POST {prefix}/api/v3/a/b HTTP/1.1".encode())
    assert len(raw_server.requests) == 1


def test_a_submission_with_an_encoded_slash_does_not_count_as_a_read(connect: Connect, raw_server: RawServer) -> None:
    with pytest.raises(SubmissionUncertainError) as caught:
        connect(base_url=raw_server.url).call(submit_task, "predictions/x", "delete", body=TaskInput())
    assert caught.value.model == "predictions/x/delete"
    assert len(raw_server.requests) == 1


@pytest.mark.parametrize(("status", "code"), [(200, 429), (200, 500), (200, 0), (201, 200), (202, 202)])
def test_a_success_that_names_a_task_is_a_task_whatever_else_it_says(
    connect: Connect, raw_server: RawServer, status: int, code: int
) -> None:
    body = json.dumps({"code": code, "message": "No.", "data": {"id": "task-7", "status": "created"}}).encode()
    raw_server.responses += [http(status, body)] * 4
    assert connect(base_url=raw_server.url).submit("a/b").id == "task-7"
    assert len(raw_server.requests) == 1


@pytest.mark.parametrize(("status", "code"), [(429, 429), (400, 400), (500, 500), (302, 200)])
def test_a_refusal_that_names_a_task_is_neither_sent_again_nor_believed(
    connect: Connect, raw_server: RawServer, status: int, code: int
) -> None:
    body = json.dumps({"code": code, "message": "No.", "data": {"id": "task-7"}}).encode()
    raw_server.responses += [http(status, body)] * 4
    with pytest.raises(SubmissionUncertainError, match=r"names a task\. Its task is probably task-7") as caught:
        connect(base_url=raw_server.url).submit("a/b")
    assert caught.value.task_id == "task-7"
    assert len(raw_server.requests) == 1


@pytest.mark.parametrize("task_id", [7, "a.b:c", "x" * 200, ["task-7"]])
@pytest.mark.parametrize(("status", "code"), [(429, 429), (200, 429), (400, 400), (413, 413)])
def test_a_refusal_with_an_id_that_cannot_be_used_is_not_believed(
    connect: Connect, raw_server: RawServer, status: int, code: int, task_id: object
) -> None:
    body = json.dumps({"code": code, "message": "No.", "data": {"id": task_id}}).encode()
    raw_server.responses += [http(status, body)] * 4
    with pytest.raises(SubmissionUncertainError, match="names a task") as caught:
        connect(base_url=raw_server.url).submit("a/b")
    assert caught.value.task_id is None
    assert len(raw_server.requests) == 1


def test_an_interrupted_submission_leaves_a_trace(caplog: pytest.LogCaptureFixture) -> None:
    request = httpx.Request("POST", "https://api.wavespeed.ai/api/v3/a/b", content=b"{}")
    interruption = KeyboardInterrupt()
    with caplog.at_level(logging.WARNING, "wavespeed_client"):
        begun(request).interrupted(KeyboardInterrupt())  # not sent: it waited for its turn, or for a connection
        sent, read = begun(request), begun(httpx.Request("GET", "https://api.wavespeed.ai/"))
        sent.sent = read.sent = True
        sent.interrupted(interruption)
        read.interrupted(KeyboardInterrupt())
    assert "A submission to a/b was interrupted at" in interruption.__notes__[0]
    assert [record.getMessage() for record in caplog.records] == interruption.__notes__


@left_to_garbage_collection
@pytest.mark.parametrize("transport", ["httpx", "aiohttp"])
def test_an_interruption_before_there_is_a_connection_is_no_submission(
    transport: Literal["httpx", "aiohttp"], caplog: pytest.LogCaptureFixture
) -> None:
    async def interrupt() -> None:
        greeted, over = asyncio.Event(), asyncio.Event()

        async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.read(1)
            greeted.set()
            await over.wait()  # from Python 3.12 on, the end of the server waits for its connections
            writer.close()

        async with await asyncio.start_server(silent, "127.0.0.1", 0) as server:
            url = f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}"
            async with AsyncWaveSpeed("test-key", base_url=url, transport=transport) as ws:
                submission = asyncio.create_task(ws.submit("a/b"))
                await greeted.wait()
                submission.cancel()
                await asyncio.wait([submission])
            over.set()
        assert submission.cancelled()

    asyncio.run(interrupt())
    gc.collect()
    assert not [record for record in caplog.records if record.name == "wavespeed_client"]


class Liar(httpx.BaseTransport, httpx.AsyncBaseTransport):
    """A user's transport that sends a whole submission, and then reports a failed connect."""

    def __init__(self) -> None:
        self.sent = 0

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self.sent += 1
        assert request.read() == b"{}"
        raise httpx.ConnectTimeout("so it says")

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.sent += 1
        assert await request.aread() == b"{}"
        if self.sent % 2:
            raise httpx.ConnectTimeout("so it says")
        await asyncio.sleep(30)
        raise AssertionError


def test_a_failed_connect_of_another_transport_is_not_believed() -> None:
    liar = Liar()
    with WaveSpeed("test-key", http_client=httpx.Client(transport=liar)) as ws, pytest.raises(SubmissionUncertainError):
        ws.submit("a/b")
    assert liar.sent == 1

    async def run() -> None:
        async with AsyncWaveSpeed("test-key", timeout=0.1, http_client=httpx.AsyncClient(transport=liar)) as ws:
            for _ in range(2):
                with pytest.raises(SubmissionUncertainError):
                    await ws.submit("a/b")

    liar.sent = 0
    asyncio.run(run())
    assert liar.sent == 2


def test_a_failed_connect_of_httpx_in_a_callers_client_is_believed() -> None:
    with pytest.raises(APIConnectionError, match="nothing was started"):
        WaveSpeed("test-key", base_url="http://127.0.0.1:9", max_retries=0, http_client=httpx.Client()).submit("a/b")


def test_a_closed_client_sends_nothing_again(raw_server: RawServer, monkeypatch: pytest.MonkeyPatch) -> None:
    raw_server.responses += [http(429, BUSY, "Retry-After: 1"), http(200, TASK)]
    ws = WaveSpeed("test-key", base_url=raw_server.url)
    monkeypatch.setattr("httpx_retries.retry.time.sleep", lambda seconds: ws.close())
    with pytest.raises(ConfigurationError, match="closed meanwhile"):
        ws.submit("a/b")
    assert len(raw_server.requests) == 1


def test_find_submissions_takes_only_a_submission_uncertain_error(ws: Driven, fake: FakeWaveSpeed) -> None:
    with pytest.raises(InvalidInputError, match="takes a SubmissionUncertainError"):
        ws.find_submissions(ValueError())
    assert fake.requests == []
