"""One try: its answer is read within bounds of time and size."""

import gzip
import socket
import time
from types import SimpleNamespace
from typing import Any

import httpx
import pytest

from tests.conftest import SETTINGS, TASK, Connect, RawServer, both_transports, http
from wavespeed_client import (
    APIConnectionError,
    Settings,
    SubmissionUncertainError,
    UnexpectedResponseError,
    WaveSpeed,
    exchange,
)
from wavespeed_client.call import calling
from wavespeed_client.clock import Deadline
from wavespeed_client.exchange import Api, Attempt, Exchange, TimeLeft
from wavespeed_client.retry import policy_for
from wavespeed_client.submission import SYNC_MODE_SECONDS
from wavespeed_client.testing import FakeWaveSpeed

transport = both_transports


def attempt(request: httpx.Request, settings: Settings = SETTINGS) -> Attempt:
    Exchange(request, Api(settings))
    return Attempt(request)


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


@pytest.mark.parametrize("encoding", ["br", "gzip, gzip", "zstd"])
def test_a_compression_that_was_not_asked_for_is_told(connect: Connect, raw_server: RawServer, encoding: str) -> None:
    raw_server.answers.append(http(200, TASK, f"Content-Encoding: {encoding}"))
    with pytest.raises(UnexpectedResponseError, match="was not asked for"):
        connect(base_url=raw_server.url).get("abc")
    assert b"accept-encoding: gzip\r\n" in raw_server.requests[0].lower()


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


def test_a_small_answer_that_holds_a_huge_one_is_refused(connect: Connect, raw_server: RawServer) -> None:
    bomb = gzip.compress(bytes(80 * 1024 * 1024), compresslevel=9)
    assert len(bomb) < 100_000
    raw_server.answers += [http(200, bomb, "Content-Encoding: gzip")] * 2
    ws = connect(base_url=raw_server.url)
    with pytest.raises(UnexpectedResponseError, match="larger than 67108864 bytes"):
        ws.get("abc")
    with pytest.raises(SubmissionUncertainError, match="larger than 67108864 bytes"):
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


def test_each_phase_of_a_try_gets_what_the_others_have_left(monkeypatch: pytest.MonkeyPatch) -> None:
    left = TimeLeft(time.monotonic() + 10)
    assert set(left) == {"connect", "read", "write", "pool"}
    assert len(left) == 4
    assert 9 < left["connect"] <= 10
    assert TimeLeft(time.monotonic() - 10)["read"] == 0.001
    assert left.get("unknown") is None


def test_a_request_whose_time_is_up_does_not_begin_to_leave_but_goes_on_once_it_has() -> None:
    late = TimeLeft(time.monotonic() - 10)
    with pytest.raises(httpx.ConnectTimeout, match="before it could be sent"):
        late.get("write")
    begun = TimeLeft(time.monotonic() + 10)
    assert begun["write"] > 9
    begun._until -= 20
    assert begun["write"] == 0.001


def test_a_connect_that_takes_all_the_time_means_that_nothing_was_sent(
    fake: FakeWaveSpeed, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As it may where a host has several addresses, of which the first ones do not answer."""
    skipped = [0.0]
    connect = socket.create_connection

    def slowly(*args: Any, **kwargs: Any) -> socket.socket:
        skipped[0] += 100.0
        return connect(*args, **kwargs)

    monkeypatch.setattr(exchange, "time", SimpleNamespace(monotonic=lambda: time.monotonic() + skipped[0]))
    monkeypatch.setattr(socket, "create_connection", slowly)
    with WaveSpeed(fake.api_key, base_url=fake.url, max_retries=0) as ws:
        with pytest.raises(APIConnectionError, match="could not be sent, so nothing was started"):
            ws.submit("a/b")
        assert fake.requests == []
