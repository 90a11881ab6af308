"""The chain: what is sent again, what an outcome is called, and that nothing is held beyond its bounds."""

import asyncio
import gzip
import json
import logging
import pickle
import socket
import subprocess
import sys
import threading
import time
import traceback
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import httpx
import pytest

from tests.conftest import Connect, Driven, RawServer, http
from wavespeed_api.api.tasks import get_result, submit_task
from wavespeed_client import (
    APIConnectionError,
    APIError,
    AsyncWaveSpeed,
    ConfigurationError,
    InvalidInputError,
    RateLimitError,
    Settings,
    SubmissionUncertainError,
    Task,
    TaskInput,
    UnexpectedResponseError,
    WaveSpeed,
    WaveSpeedError,
)
from wavespeed_client.call import calling
from wavespeed_client.exchange import Api, Attempt, Exchange, TimeLeft
from wavespeed_client.polling import Deadline
from wavespeed_client.retry import policy_for
from wavespeed_client.submission import SYNC_MODE_SECONDS
from wavespeed_client.testing import FakeWaveSpeed

TASK = json.dumps({"code": 200, "message": "success", "data": {"id": "abc", "status": "created"}}).encode()
BUSY = json.dumps({"code": 429, "message": "Slow down."}).encode()
SETTINGS = Settings.resolve("test-key", environment={})


def attempt(request: httpx.Request, settings: Settings = SETTINGS) -> Attempt:
    Exchange(request, Api(settings))
    return Attempt(request)


def envelope(code: int) -> bytes:
    return json.dumps({"code": code, "message": "No."}).encode()


def test_a_lost_answer_leaves_a_submission_uncertain_and_sent_once(connect: Connect, raw_server: RawServer) -> None:
    for answer in (b"", b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{", b"garbage\r\n\r\n", http(200, b"{}")[:-1]):
        raw_server.answers.append(answer)
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
        (201, TASK),
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
def test_answers_that_prove_nothing(connect: Connect, raw_server: RawServer, status: int, body: bytes) -> None:
    ws = connect(base_url=raw_server.url, max_retries=3)
    raw_server.answers.append(http(status, body))
    with pytest.raises(SubmissionUncertainError) as caught:
        ws.submit("a/b", {})
    assert len(raw_server.requests) == 1
    assert len(str(caught.value)) < 1500
    raw_server.answers.extend([http(status, body)] * 4)
    with pytest.raises((APIError, UnexpectedResponseError)):
        ws.get("abc")


@pytest.mark.parametrize("code", [400, 401, 403, 404, 429, 500])
def test_a_refusal_under_http_200_is_classed_by_its_code(connect: Connect, raw_server: RawServer, code: int) -> None:
    ws = connect(base_url=raw_server.url, max_retries=0)
    raw_server.answers.append(http(200, envelope(code)))
    with pytest.raises(APIError) as caught:
        ws.submit("a/b", {})
    assert (caught.value.status_code, caught.value.code, caught.value.message) == (code, code, "No.")


def test_a_submission_is_sent_again_only_when_it_was_refused_for_now(connect: Connect, raw_server: RawServer) -> None:
    raw_server.answers += [http(429, BUSY), http(200, envelope(429)), http(200, TASK)]
    assert connect(base_url=raw_server.url).submit("a/b", {}).id == "abc"
    assert len(raw_server.requests) == 3
    assert len(set(raw_server.requests)) == 1


def test_without_retries_the_first_refusal_is_raised(connect: Connect, raw_server: RawServer) -> None:
    raw_server.answers += [http(429, BUSY, "Retry-After: 7"), http(200, TASK)]
    with pytest.raises(RateLimitError) as caught:
        connect(base_url=raw_server.url, max_retries=0).submit("a/b", {})
    assert caught.value.retry_after == 7
    assert len(raw_server.requests) == 1


@pytest.mark.parametrize(
    "broken",
    [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{", *(http(s, b"{}") for s in (429, 500, 502, 503, 504))],
)
def test_a_read_is_tried_again(connect: Connect, raw_server: RawServer, broken: bytes) -> None:
    raw_server.answers += [broken, broken, http(200, TASK)]
    assert connect(base_url=raw_server.url).get("abc").id == "abc"
    assert len(raw_server.requests) == 3


def test_a_read_gives_up_after_its_retries(connect: Connect, raw_server: RawServer) -> None:
    with pytest.raises(APIConnectionError, match="GET /api/v3/predictions/abc/result got no usable answer"):
        connect(base_url=raw_server.url, max_retries=2).get("abc")
    assert len(raw_server.requests) == 3


def test_no_connection_means_that_nothing_was_sent(connect: Connect) -> None:
    ws = connect(base_url="http://127.0.0.1:9", max_retries=1)
    for verb in (lambda: ws.submit("a/b"), lambda: ws.get("abc")):
        with pytest.raises(APIConnectionError, match="could not be sent, so nothing was started"):
            verb()


def test_a_byte_order_mark_is_no_reason_to_lose_a_task(connect: Connect, raw_server: RawServer) -> None:
    raw_server.answers.append(http(200, b"\xef\xbb\xbf" + TASK))
    assert connect(base_url=raw_server.url).submit("a/b", {}).id == "abc"


def test_compressed_answers_are_read_and_broken_ones_told(connect: Connect, raw_server: RawServer) -> None:
    ws = connect(base_url=raw_server.url)
    raw_server.answers.append(http(200, gzip.compress(TASK), "Content-Encoding: gzip"))
    assert ws.submit("a/b", {}).id == "abc"
    raw_server.answers += [http(200, b"no gzip", "Content-Encoding: gzip")] * 2
    with pytest.raises(UnexpectedResponseError, match="compression is broken"):
        ws.get("abc")
    with pytest.raises(SubmissionUncertainError, match="compression is broken"):
        ws.submit("a/b", {})


def test_a_huge_answer_is_refused_before_it_is_whole() -> None:
    reading = attempt(httpx.Request("GET", "https://example.com"))
    chunk, response = b"x" * 1024 * 1024, httpx.Response(200)
    for _ in range(64):
        reading.add(chunk, response)
    with pytest.raises(UnexpectedResponseError, match="larger than 67108864 bytes"):
        reading.add(b"x", response)


def test_an_answer_that_announces_too_much_is_not_read(connect: Connect, raw_server: RawServer) -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 67108865\r\n\r\n{"
    raw_server.answers += [head, head]
    ws = connect(base_url=raw_server.url)
    with pytest.raises(UnexpectedResponseError, match="larger than") as caught:
        ws.get("abc")
    assert caught.value.status_code == 200
    with pytest.raises(SubmissionUncertainError, match="larger than"):
        ws.submit("a/b")


@pytest.mark.parametrize(
    ("body", "timeout", "expected"),
    [
        (b"{}", None, SETTINGS.timeout),
        (b'{"enable_sync_mode": true}', None, SYNC_MODE_SECONDS),
        (b'{"enable_sync_mode": true}', 500.0, 500.0),
    ],
)
def test_a_submission_in_sync_mode_may_take_longer(body: bytes, timeout: float | None, expected: float) -> None:
    request = httpx.Request("POST", "https://api.wavespeed.ai/api/v3/a/b", content=body)
    settings = Settings.resolve("test-key", timeout=timeout, environment={})
    assert attempt(request, settings).seconds == expected
    assert expected - 1 < request.extensions["timeout"]["read"] <= expected


def test_a_deadline_bounds_reads_and_their_retries_but_no_submission(clock: Any) -> None:
    read = httpx.Request("GET", "https://api.wavespeed.ai/api/v3/predictions/abc")
    submission = httpx.Request("POST", "https://api.wavespeed.ai/api/v3/a/b", content=b"{}")
    policy = policy_for(submission=False, max_retries=3)
    with calling(Deadline.after(10, clock)):
        assert attempt(read).seconds == 10
        assert attempt(submission).seconds == SETTINGS.timeout
        assert policy.parse_retry_after("3600") == 10
        assert policy.parse_retry_after("3") == 3
        assert not policy.is_exhausted()
        clock.sleep(10)
        assert policy.is_exhausted()
        with pytest.raises(httpx.PoolTimeout):
            attempt(read)
    assert policy.parse_retry_after("3600") == 3600
    assert not policy.is_exhausted()


def test_retry_after_is_read_as_seconds_and_as_a_date(clock: Any) -> None:
    policy = policy_for(submission=True, max_retries=3)
    date = format_datetime(datetime.now(UTC) + timedelta(seconds=90), usegmt=True)
    assert 80 < policy.parse_retry_after(date) <= 90
    with calling(Deadline.after(5, clock)):
        assert policy.parse_retry_after(date) == 5
    with pytest.raises(ValueError, match="Invalid Retry-After"):
        policy.parse_retry_after("soon")


@pytest.mark.parametrize("told", ["3600", "Fri, 31 Dec 2100 23:59:59 GMT"])
def test_a_pause_is_a_minute_at_most(connect: Connect, raw_server: RawServer, monkeypatch: Any, told: str) -> None:
    pauses: list[float] = []

    async def pause(seconds: float) -> None:
        pauses.append(seconds)

    monkeypatch.setattr("httpx_retries.retry.time.sleep", pauses.append)
    monkeypatch.setattr("httpx_retries.retry.asyncio.sleep", pause)
    raw_server.answers += [http(429, BUSY, f"Retry-After: {told}"), http(503, BUSY, "Retry-After: 2"), http(200, TASK)]
    assert connect(base_url=raw_server.url).get("abc").id == "abc"
    assert pauses == [60, 2]


def test_back_off_grows_at_random_up_to_a_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wavespeed_client.retry.BACKOFF_SECONDS", 0.25)
    policy = policy_for(submission=False, max_retries=30)
    for expected in (0.5, 1, 2, 4, 8, 16, 32, 60, 60):
        policy = policy.increment()
        waits = [policy.backoff_strategy() for _ in range(200)]
        assert 0 <= min(waits) < expected / 2 < max(waits) <= expected


def test_the_key_goes_to_the_apis_own_origin_only() -> None:
    for url, sent in [
        ("https://api.wavespeed.ai/api/v3/a/b", "Bearer test-key"),
        ("https://API.wavespeed.ai:443/api/v3/a/b", "Bearer test-key"),
        ("http://api.wavespeed.ai/api/v3/a/b", None),
        ("https://api.wavespeed.ai:444/api/v3/a/b", None),
        ("https://api.wavespeed.ai.example.com/api/v3/a/b", None),
        ("https://example.com/", None),
    ]:
        request = httpx.Request("GET", url)
        Exchange(request, Api(SETTINGS))
        assert request.headers.get("Authorization") == sent


def test_the_key_is_masked_in_what_is_quoted_of_an_answer(connect: Connect, raw_server: RawServer) -> None:
    raw_server.answers.append(http(401, b'{"code": 401, "message": "No such key: wsk_secret"}'))
    with pytest.raises(APIError) as caught:
        connect("wsk_secret", base_url=raw_server.url).get("abc")
    assert caught.value.message == "No such key: ***"
    assert "wsk_secret" not in caught.value.body


def test_the_log_tells_method_path_outcome_and_time_only(
    ws: Driven, fake: FakeWaveSpeed, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG, "wavespeed_client"):
        ws.submit("a/b", {"prompt": "a secret cat"}, webhook="https://example.com/?token=secret")
    (line,) = [record.getMessage() for record in caplog.records if record.name == "wavespeed_client"]
    assert line.startswith("POST /api/v3/a/b: 200 in ")
    assert line.endswith(" ms")


def test_ws_api_has_the_same_policy(connect: Connect, raw_server: RawServer) -> None:
    raw_server.answers += [http(503, b"{}"), http(200, TASK)]
    assert connect(base_url=raw_server.url).call(get_result, "abc").parsed.data.id == "abc"
    raw_server.answers += [http(404, envelope(404))]
    with pytest.raises(APIError, match=r"No\. \(HTTP 404\)"):
        connect(base_url=raw_server.url).call(get_result, "abc")


def test_one_client_serves_many_threads(fake: FakeWaveSpeed) -> None:
    models = [f"provider/model-{number}" for number in range(32)]
    found: dict[str, str] = {}
    with WaveSpeed(fake.api_key, base_url=fake.url) as ws:

        def submit(model: str) -> None:
            found[model] = ws.submit(model, {"prompt": model}).model

        threads = [threading.Thread(target=submit, args=(model,)) for model in models]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert found == {model: model for model in models}
    assert sorted(call.model for call in fake.calls) == sorted(models)


def test_an_async_client_belongs_to_its_first_loop(fake: FakeWaveSpeed) -> None:
    ws = AsyncWaveSpeed(fake.api_key, base_url=fake.url)

    async def first_use() -> Task:
        task = await ws.submit("a/b")
        assert len(asyncio.all_tasks()) == 1
        return task

    task = asyncio.run(first_use())
    with pytest.raises(ConfigurationError, match="another event loop"):
        asyncio.run(ws.get(task))
    asyncio.run(ws.aclose())  # its connections went with their loop
    with pytest.raises(ConfigurationError, match="closed"):
        asyncio.run(ws.get(task))


def test_each_phase_of_a_try_gets_what_the_others_have_left(monkeypatch: pytest.MonkeyPatch) -> None:
    left = TimeLeft(time.monotonic() + 10)
    assert set(left) == {"connect", "read", "write", "pool"}
    assert len(left) == 4
    assert 9 < left["connect"] <= 10
    assert TimeLeft(time.monotonic() - 10)["read"] == 0.001
    assert left.get("unknown") is None


@pytest.mark.parametrize("prefix", ["/gate", "/api/v3/media", "/api/v3/models/x", "/api"])
def test_a_submission_is_known_below_any_base_url(connect: Connect, raw_server: RawServer, prefix: str) -> None:
    raw_server.answers.append(http(502, b""))
    with pytest.raises(SubmissionUncertainError) as caught:
        connect(base_url=raw_server.url + prefix).submit("a/b", {"prompt": "a cat"})
    assert caught.value.model == "a/b"
    assert raw_server.requests[0].startswith(f"POST {prefix}/api/v3/a/b HTTP/1.1".encode())
    assert len(raw_server.requests) == 1


def test_an_encoded_slash_makes_no_read_of_a_submission(connect: Connect, raw_server: RawServer) -> None:
    with pytest.raises(SubmissionUncertainError) as caught:
        connect(base_url=raw_server.url).call(submit_task, "predictions/x", "delete", body=TaskInput())
    assert caught.value.model == "predictions/x/delete"
    assert len(raw_server.requests) == 1


@pytest.mark.parametrize(("status", "code"), [(200, 429), (200, 500), (200, 0), (429, 429), (400, 400), (500, 500)])
def test_a_refusal_that_names_a_task_is_neither_sent_again_nor_believed(
    connect: Connect, raw_server: RawServer, status: int, code: int
) -> None:
    body = json.dumps({"code": code, "message": "No.", "data": {"id": "task-7"}}).encode()
    raw_server.answers += [http(status, body)] * 4
    with pytest.raises(SubmissionUncertainError, match="names a task, task-7"):
        connect(base_url=raw_server.url).submit("a/b")
    assert len(raw_server.requests) == 1


@pytest.mark.parametrize("verb", ["submit", "get"])
def test_no_answer_to_the_handshake_means_that_nothing_was_sent(connect: Connect, verb: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        ws = connect(base_url=f"https://127.0.0.1:{silent.getsockname()[1]}", timeout=0.2, max_retries=1)
        with pytest.raises(APIConnectionError, match="could not be sent, so nothing was started"):
            getattr(ws, verb)("a/b" if verb == "submit" else "abc")


def test_a_key_that_an_answer_repeats_in_any_way_is_hidden(connect: Connect, raw_server: RawServer) -> None:
    key = "-".join(["wsk", "secret"])  # a traceback shows the source too
    escaped = "".join(f"\\u{ord(character):04x}" for character in key)
    answers = [
        http(400, f'{{"message": "{escaped}"}}'.encode()),
        http(200, b"{}", f"foo bar: Bearer {key}"),
        http(200, f'{{"data": {{"id": "{key} /"}}}}'.encode()),
        http(500, key.encode()),
    ]
    for answer in answers:
        for verb, argument in (("submit", "a/b"), ("get", "abc")):
            raw_server.answers[:] = [answer] * 2
            with pytest.raises(WaveSpeedError) as caught:
                getattr(connect(key, base_url=raw_server.url, max_retries=0), verb)(argument)
            assert key not in "".join(traceback.format_exception(caught.value))
            assert key.encode() not in pickle.dumps(caught.value)


def test_a_date_beyond_the_calendar_is_no_retry_after(connect: Connect, raw_server: RawServer) -> None:
    never = "Retry-After: Fri, 31 Dec 1999 23:59:59 +99999999999999999"
    raw_server.answers += [http(429, BUSY, never), http(429, BUSY, never)]
    with pytest.raises(RateLimitError) as caught:
        connect(base_url=raw_server.url, max_retries=1).submit("a/b")
    assert caught.value.retry_after is None


def test_what_httpx_cannot_make_a_request_of_is_the_callers_input(ws: Driven, fake: FakeWaveSpeed) -> None:
    with pytest.raises(InvalidInputError, match="nothing was sent"), calling(None):
        ws.call(get_result, "a" * 70_000)
    assert fake.requests == []


def test_an_interrupted_submission_leaves_a_trace(caplog: pytest.LogCaptureFixture) -> None:
    request = httpx.Request("POST", "https://api.wavespeed.ai/api/v3/a/b", content=b"{}")
    interruption = KeyboardInterrupt()
    with caplog.at_level(logging.WARNING, "wavespeed_client"):
        Exchange(request, Api(SETTINGS)).interrupted(KeyboardInterrupt())  # not begun: it waited for its turn
        begun = Exchange(request, Api(SETTINGS))
        Attempt(request)
        begun.interrupted(interruption)
        Exchange(httpx.Request("GET", "https://api.wavespeed.ai/"), Api(SETTINGS)).interrupted(KeyboardInterrupt())
    assert "A submission to a/b was interrupted at" in interruption.__notes__[0]
    assert [record.getMessage() for record in caplog.records] == interruption.__notes__


def test_a_client_is_refused_after_a_fork(fake: FakeWaveSpeed) -> None:
    program = f"""
import os
from wavespeed_client import ConfigurationError, WaveSpeed
ws = WaveSpeed({fake.api_key!r}, base_url={fake.url!r})
ws.submit("a/b")
child = os.fork()
if child == 0:
    try:
        ws.submit("a/b")
    except ConfigurationError as error:
        os._exit(7 if "fork" in str(error) else 1)
    os._exit(2)
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
ws.submit("a/b")
"""
    subprocess.run([sys.executable, "-c", program], check=True)
    assert len(fake.calls) == 2


def test_a_small_answer_that_holds_a_huge_one_is_refused(connect: Connect, raw_server: RawServer) -> None:
    bomb = gzip.compress(bytes(80 * 1024 * 1024), compresslevel=9)
    assert len(bomb) < 100_000
    raw_server.answers += [http(200, bomb, "Content-Encoding: gzip")] * 2
    ws = connect(base_url=raw_server.url)
    with pytest.raises(UnexpectedResponseError, match="larger than 67108864 bytes"):
        ws.get("abc")
    with pytest.raises(SubmissionUncertainError, match="larger than 67108864 bytes"):
        ws.submit("a/b")


@pytest.mark.parametrize("encoding", ["br", "gzip, gzip", "zstd"])
def test_a_compression_that_was_not_asked_for_is_told(connect: Connect, raw_server: RawServer, encoding: str) -> None:
    raw_server.answers.append(http(200, TASK, f"Content-Encoding: {encoding}"))
    with pytest.raises(UnexpectedResponseError, match="was not asked for"):
        connect(base_url=raw_server.url).get("abc")
    assert b"accept-encoding: gzip\r\n" in raw_server.requests[0].lower()


def test_a_key_at_the_edge_of_a_quotation_is_hidden_whole(connect: Connect, raw_server: RawServer) -> None:
    body = b"x" * 490 + b"wsk-live-secret-0123456789"
    raw_server.answers.append(http(404, body))
    with pytest.raises(APIError) as caught:
        connect("wsk-live-secret-0123456789", base_url=raw_server.url).get("abc")
    assert "wsk" not in caught.value.body


class Liar(httpx.BaseTransport, httpx.AsyncBaseTransport):
    """Somebody's transport: takes a submission whole, and then calls it a failed connect."""

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


def test_a_failed_connect_is_believed_of_httpx_alone() -> None:
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


def test_httpx_in_a_callers_client_is_believed() -> None:
    with pytest.raises(APIConnectionError, match="nothing was started"):
        WaveSpeed("test-key", base_url="http://127.0.0.1:9", max_retries=0, http_client=httpx.Client()).submit("a/b")


def test_nothing_is_sent_again_once_the_client_is_closed(
    raw_server: RawServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    raw_server.answers += [http(429, BUSY, "Retry-After: 1"), http(200, TASK)]
    ws = WaveSpeed("test-key", base_url=raw_server.url)
    monkeypatch.setattr("httpx_retries.retry.time.sleep", lambda seconds: ws.close())
    with pytest.raises(ConfigurationError, match="closed meanwhile"):
        ws.submit("a/b")
    assert len(raw_server.requests) == 1


def test_find_submissions_takes_its_own_error_only(ws: Driven, fake: FakeWaveSpeed) -> None:
    with pytest.raises(InvalidInputError, match="takes a SubmissionUncertainError"):
        ws.find_submissions(ValueError())
    assert fake.requests == []
