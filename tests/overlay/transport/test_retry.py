"""Reads are tried again, at growing intervals, never beyond the deadline."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest

from tests.conftest import Connect
from tests.servers.raw import BUSY, TASK, RawServer, http
from wavespeed_client import (
    APIConnectionError,
    RateLimitError,
)
from wavespeed_client.clock import Deadline
from wavespeed_client.transport.context import Context
from wavespeed_client.transport.retry import policy_for


@pytest.mark.parametrize(
    "broken",
    [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{", *(http(s, b"{}") for s in (429, 500, 502, 503, 504))],
)
def test_a_read_is_tried_again(connect: Connect, raw_server: RawServer, broken: bytes) -> None:
    raw_server.responses += [broken, broken, http(200, TASK)]
    assert connect(base_url=raw_server.url).get("abc").id == "abc"
    assert len(raw_server.requests) == 3


def test_a_read_gives_up_after_its_retries(connect: Connect, raw_server: RawServer) -> None:
    with pytest.raises(APIConnectionError, match="GET /api/v3/predictions/abc/result got no usable response"):
        connect(base_url=raw_server.url, max_retries=2).get("abc")
    assert len(raw_server.requests) == 3


def test_retry_after_is_read_as_seconds_and_as_a_date(clock: Any) -> None:
    policy = policy_for(Context(), submission=True, max_retries=3)
    date = format_datetime(datetime.now(UTC) + timedelta(seconds=90), usegmt=True)
    assert 80 < policy.parse_retry_after(date) <= 90
    bounded = policy_for(Context(Deadline.after(5, clock)), submission=True, max_retries=3)
    assert bounded.parse_retry_after(date) == 5
    with pytest.raises(ValueError, match="Invalid Retry-After"):
        policy.parse_retry_after("soon")


@pytest.mark.parametrize("announced", ["3600", "Fri, 31 Dec 2100 23:59:59 GMT"])
def test_a_retry_waits_a_minute_at_most(
    connect: Connect, raw_server: RawServer, pauses: list[float], announced: str
) -> None:
    raw_server.responses += [
        http(429, BUSY, f"Retry-After: {announced}"),
        http(503, BUSY, "Retry-After: 2"),
        http(200, TASK),
    ]
    assert connect(base_url=raw_server.url).get("abc").id == "abc"
    assert pauses == [60, 2]


def test_a_date_beyond_the_calendar_is_no_retry_after(connect: Connect, raw_server: RawServer) -> None:
    never = "Retry-After: Fri, 31 Dec 1999 23:59:59 +99999999999999999"
    raw_server.responses += [http(429, BUSY, never), http(429, BUSY, never)]
    with pytest.raises(RateLimitError) as caught:
        connect(base_url=raw_server.url, max_retries=1).submit("a/b")
    assert caught.value.retry_after is None


def test_the_backoff_grows_at_random_up_to_a_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wavespeed_client.transport.retry.BACKOFF_SECONDS", 0.25)
    policy = policy_for(Context(), submission=False, max_retries=30)
    for expected in (0.5, 1, 2, 4, 8, 16, 32, 60, 60):
        policy = policy.increment()
        waits = [policy.backoff_strategy() for _ in range(200)]
        assert 0 <= min(waits) < expected / 2 < max(waits) <= expected
