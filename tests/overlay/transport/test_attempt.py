"""One attempt: its response is read within limits of time and size."""

import gzip
import socket
import time
import zlib
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from attrs import evolve

from tests.conftest import SETTINGS, Connect, begun, every_engine
from tests.servers.raw import TASK, RawServer, http
from wavespeed_client import (
    APIConnectionError,
    SubmissionUncertainError,
    UnexpectedResponseError,
    WaveSpeed,
)
from wavespeed_client.clock import Clock, Deadline
from wavespeed_client.testing import FakeWaveSpeed
from wavespeed_client.transport import attempt
from wavespeed_client.transport.attempt import Attempt, TimeLeft, seconds_for
from wavespeed_client.transport.context import EXTENSION, Context
from wavespeed_client.transport.identity import Received
from wavespeed_client.transport.retry import policy_for
from wavespeed_client.transport.submission import SYNC_MODE_SECONDS

pytestmark = pytest.mark.promise("too-late", "large")

engine = every_engine


def test_a_byte_order_mark_is_no_reason_to_lose_a_task(connect: Connect, raw_server: RawServer) -> None:
    raw_server.responses.append(http(200, b"\xef\xbb\xbf" + TASK))
    assert connect(base_url=raw_server.url).submit("a/b", {}).id == "abc"


def test_compressed_responses_are_read_and_broken_ones_are_errors(connect: Connect, raw_server: RawServer) -> None:
    ws = connect(base_url=raw_server.url)
    raw_server.responses.append(http(200, gzip.compress(TASK), "Content-Encoding: gzip"))
    assert ws.submit("a/b", {}).id == "abc"
    raw_server.responses += [http(200, b"no gzip", "Content-Encoding: gzip")] * 2
    with pytest.raises(UnexpectedResponseError, match="compression is broken"):
        ws.get("abc")
    with pytest.raises(SubmissionUncertainError, match="compression is broken"):
        ws.submit("a/b", {})


@pytest.mark.parametrize(("encoding", "body"), [("br", b"\x8b\x02\x80{}\x03"), ("zstd", b"\x28\xb5\x2f\xfd\x04")])
def test_a_compression_that_was_not_requested_is_unreadable(
    connect: Connect, raw_server: RawServer, encoding: str, body: bytes
) -> None:
    raw_server.responses += [http(200, body, f"Content-Encoding: {encoding}")] * 2
    ws = connect(base_url=raw_server.url)
    with pytest.raises(UnexpectedResponseError):
        ws.get("abc")
    with pytest.raises(SubmissionUncertainError):
        ws.submit("a/b")
    assert b"accept-encoding: gzip\r\n" in raw_server.requests[0].lower()


def test_a_response_in_the_other_compression_of_zlib_is_read(connect: Connect, raw_server: RawServer) -> None:
    raw_server.responses.append(http(200, zlib.compress(TASK), "Content-Encoding: deflate"))
    assert connect(base_url=raw_server.url).submit("a/b").id == "abc"


def test_a_huge_response_is_refused_before_it_is_whole() -> None:
    one_try = Attempt(begun(httpx.Request("GET", "https://example.com")), 10.0, Received())
    pieces = iter([*[b"x" * 1024 * 1024] * 64, b"x", b"never read"])
    with pytest.raises(UnexpectedResponseError, match="larger than 67108864 bytes"):
        one_try.read(httpx.Response(200, content=pieces))
    assert list(pieces) == [b"never read"]


def test_a_response_that_announces_too_much_is_not_read(connect: Connect, raw_server: RawServer) -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 67108865\r\n\r\n{"
    raw_server.responses += [head, head]
    ws = connect(base_url=raw_server.url)
    with pytest.raises(UnexpectedResponseError, match="larger than") as caught:
        ws.get("abc")
    assert caught.value.status_code == 200
    with pytest.raises(SubmissionUncertainError, match="larger than"):
        ws.submit("a/b")


def test_a_small_response_that_unpacks_to_a_huge_one_is_refused(connect: Connect, raw_server: RawServer) -> None:
    bomb = gzip.compress(bytes(80 * 1024 * 1024), compresslevel=9)
    assert len(bomb) < 100_000
    raw_server.responses += [http(200, bomb, "Content-Encoding: gzip")] * 2
    ws = connect(base_url=raw_server.url)
    with pytest.raises(UnexpectedResponseError, match="larger than 67108864 bytes"):
        ws.get("abc")
    with pytest.raises(SubmissionUncertainError, match="larger than 67108864 bytes"):
        ws.submit("a/b")


@pytest.mark.parametrize(
    ("body", "timeout", "expected"),
    [
        (b"{}", SETTINGS.timeout, SETTINGS.timeout),
        (b'{"enable_sync_mode": true}', SETTINGS.timeout, SYNC_MODE_SECONDS),
        (b'{"enable_sync_mode": true}', 500.0, 500.0),
    ],
)
def test_a_submission_in_sync_mode_may_take_longer(body: bytes, timeout: float, expected: float) -> None:
    request = httpx.Request("POST", "https://api.wavespeed.ai/api/v3/a/b", content=body)
    settings = evolve(SETTINGS, timeout=timeout)
    assert seconds_for(begun(request, settings)) == expected


def test_a_deadline_limits_reads_and_their_retries_but_no_submission(clock: Any) -> None:
    context = Context(Deadline.after(10, clock))
    read = begun(httpx.Request("GET", "https://api.wavespeed.ai/", extensions={EXTENSION: context}))
    submission = httpx.Request("POST", "https://api.wavespeed.ai/api/v3/a/b", content=b"{}")
    submission.extensions[EXTENSION] = Context(Deadline.after(10, clock))
    policy = policy_for(context, submission=False, max_retries=3)
    for same in (policy, policy.increment()):
        assert same.parse_retry_after("3600") == 10
        assert same.parse_retry_after("3") == 3
        assert not same.is_exhausted()
    assert seconds_for(read) == 10
    assert seconds_for(begun(submission)) == SETTINGS.timeout
    clock.sleep(10)
    assert policy.is_exhausted()
    with pytest.raises(httpx.PoolTimeout):
        seconds_for(read)
    unbounded = policy_for(Context(), submission=False, max_retries=3)
    assert unbounded.parse_retry_after("3600") == 3600
    assert not unbounded.is_exhausted()


def test_each_step_of_a_try_gets_the_time_that_earlier_steps_have_left() -> None:
    left = TimeLeft(time.monotonic() + 10)
    assert set(left) == {"connect", "read", "write", "pool"}
    assert len(left) == 4
    assert 9 < left["connect"] <= 10
    assert TimeLeft(time.monotonic() - 10)["read"] == 0.001
    assert left.get("unknown") is None


def followed(seconds: float) -> Attempt:
    """Return an attempt whose steps httpcore reports."""
    one_try = Attempt(begun(httpx.Request("POST", "https://api.wavespeed.ai/api/v3/a/b")), seconds, Received())
    one_try.hand_over(one_try.trace)
    return one_try


def step(method: str) -> dict[str, Any]:
    """Report a step of a request as httpcore does."""
    return {"request": SimpleNamespace(method=method.encode())}


def test_a_request_counts_as_sent_except_while_its_link_connects() -> None:
    one_try = followed(10)
    seen = [one_try.exchange.sent]
    for event, info in [
        ("connection.connect_tcp.started", {}),
        ("connection.connect_tcp.complete", {}),
        ("http11.send_request_headers.started", step("CONNECT")),
        ("http11.send_request_headers.complete", {"return_value": None}),
        ("http11.response_closed.started", {}),
        ("proxy.start_tls.started", {}),
        ("http11.send_request_headers.started", step("POST")),
    ]:
        one_try.trace(event, info)
        seen.append(one_try.exchange.sent)
    assert seen == [True, False, False, False, False, False, False, True]
    assert "trace" not in one_try.exchange.request.extensions


def test_a_request_counts_as_sent_after_an_unknown_step() -> None:
    one_try = followed(10)
    one_try.trace("connection.connect_tcp.started", {})
    one_try.trace("http11.send_everything.started", step("POST"))
    assert one_try.exchange.sent


def test_a_request_whose_time_is_up_does_not_begin_to_leave() -> None:
    one_try = followed(0)
    with pytest.raises(httpx.ConnectTimeout, match="before it could be sent"):
        one_try.trace("http11.send_request_headers.started", step("POST"))
    assert not one_try.exchange.sent


@pytest.mark.promise("database-zombie")
@pytest.mark.parametrize("seconds", [0.0, 5.0])
def test_a_submission_leaves_by_its_time_or_not_at_all(connect: Connect, fake: FakeWaveSpeed, seconds: float) -> None:
    """Time passes while it connects, for example because the machine is suspended."""
    ws = connect(fake.api_key, base_url=fake.url)
    clock = SteppingClock()
    with pytest.raises(APIConnectionError, match="could not be sent"):
        ws._submit(Context(tries=1, departure=lambda: Deadline(clock, seconds)), "a/b", {})
    assert fake.requests == []
    ws._submit(Context(tries=1, departure=lambda: Deadline(clock, 1e6)), "a/b", {})
    assert len(fake.requests) == 1
    assert clock.time > 10


class SteppingClock(Clock):
    """A clock on which ten seconds pass from one look to the next."""

    time = -10.0

    def now(self) -> float:
        self.time += 10
        return self.time


def test_a_connect_that_takes_all_the_time_means_that_nothing_was_sent(
    fake: FakeWaveSpeed, monkeypatch: pytest.MonkeyPatch
) -> None:
    """This happens if a host has several addresses, and the first ones do not respond."""
    skipped = [0.0]
    connect = socket.create_connection

    def slowly(*args: Any, **kwargs: Any) -> socket.socket:
        skipped[0] += 100.0
        return connect(*args, **kwargs)

    monkeypatch.setattr(attempt, "time", SimpleNamespace(monotonic=lambda: time.monotonic() + skipped[0]))
    monkeypatch.setattr(socket, "create_connection", slowly)
    with WaveSpeed(fake.api_key, base_url=fake.url, max_retries=0) as ws:
        with pytest.raises(APIConnectionError, match=r"could not be sent to .*, so nothing was started"):
            ws.submit("a/b")
        assert fake.requests == []
