"""The caller's own HTTP client: it sends the requests, stays the caller's, and is refused if it cannot be used."""

import asyncio
import gzip
from typing import Any

import httpx
import pytest
from httpx_retries import Retry, RetryTransport

from tests.conftest import Connect
from tests.servers.raw import TASK, RawServer, kept
from wavespeed_client import AsyncWaveSpeed, ConfigurationError, RateLimitError, WaveSpeed
from wavespeed_client.testing import FakeWaveSpeed

pytestmark = pytest.mark.promise("environment")


def test_a_callers_own_retries_do_not_multiply_ours(fake: FakeWaveSpeed) -> None:
    fake.refuse(429, times=20)
    mine = httpx.Client(transport=RetryTransport(retry=Retry(total=3, allowed_methods=["POST"])))
    ws = WaveSpeed(fake.api_key, base_url=fake.url, max_retries=2, http_client=mine)
    with mine, ws, pytest.raises(RateLimitError):
        ws.submit("a/b")
    assert len(fake.requests) == 3


def test_a_callers_client_sends_and_stays_the_callers(fake: FakeWaveSpeed) -> None:
    seen: list[str] = []
    with httpx.Client(
        headers={"X-Mine": "1", "Authorization": "Bearer other"},
        cookies={"mine": "1"},
        auth=("user", "word"),
        follow_redirects=True,
        event_hooks={"request": [lambda request: seen.append(request.url.path)]},
    ) as mine:
        before = (dict(mine.headers), dict(mine.cookies), mine.timeout)
        with WaveSpeed(fake.api_key, base_url=fake.url, http_client=mine) as ws:
            ws.run("a/b", {})
        assert (dict(mine.headers), dict(mine.cookies), mine.timeout) == before
        assert not mine.is_closed
    headers = fake.calls[0].headers
    assert (headers["X-Mine"], headers["Cookie"]) == ("1", "mine=1")
    assert headers["User-Agent"].startswith("wavespeed-client/")
    assert seen[0] == "/api/v3/a/b"


def test_a_callers_async_client_sends_and_stays_the_callers(fake: FakeWaveSpeed) -> None:
    async def run() -> None:
        async with httpx.AsyncClient(headers={"X-Mine": "1"}, auth=("user", "word")) as mine:
            async with AsyncWaveSpeed(fake.api_key, base_url=fake.url, http_client=mine) as ws:
                await ws.submit("a/b", {})
            assert not mine.is_closed
        with pytest.raises(ConfigurationError, match="http_client"):
            AsyncWaveSpeed(fake.api_key, base_url=fake.url, http_client=mine)

    asyncio.run(run())
    assert fake.calls[0].headers["X-Mine"] == "1"


@pytest.mark.parametrize("response", [kept(200, TASK), kept(200, gzip.compress(TASK), "Content-Encoding: gzip")])
def test_an_event_hook_may_read_the_response(raw_server: RawServer, response: bytes) -> None:
    raw_server.responses += [response] * 2

    async def read(response: httpx.Response) -> None:
        await response.aread()

    async def submitted() -> str:
        async with httpx.AsyncClient(event_hooks={"response": [read]}) as mine:
            return (await AsyncWaveSpeed("test-key", base_url=raw_server.url, http_client=mine).submit("a/b")).id

    with httpx.Client(event_hooks={"response": [httpx.Response.read]}) as mine:
        assert WaveSpeed("test-key", base_url=raw_server.url, http_client=mine).submit("a/b").id == "abc"
    assert asyncio.run(submitted()) == "abc"
    assert len(raw_server.requests) == 2


def test_a_refusal_that_an_event_hook_has_read_is_not_unpacked_again(raw_server: RawServer) -> None:
    """A 429 proves that nothing was taken, whoever sends it."""
    page = gzip.compress(b"<p>Too many requests</p>")
    refusal = kept(429, page, "Content-Encoding: gzip", "Retry-After: 0")
    raw_server.responses += [refusal, kept(200, TASK)]
    with httpx.Client(event_hooks={"response": [httpx.Response.read]}) as mine:
        assert WaveSpeed("test-key", base_url=raw_server.url, http_client=mine).submit("a/b").id == "abc"
    assert len(raw_server.requests) == 2


@pytest.mark.parametrize("wrong", [httpx, "client", 5])
def test_a_client_of_the_wrong_kind_is_refused(connect: Connect, wrong: Any) -> None:
    with pytest.raises(ConfigurationError, match="http_client must be an open"):
        connect(http_client=wrong)


def test_a_client_of_the_other_mode_is_refused() -> None:
    with pytest.raises(ConfigurationError, match=r"http_client must be an open httpx\.Client"):
        WaveSpeed("test-key", http_client=httpx.AsyncClient())  # type: ignore[arg-type]
    with pytest.raises(ConfigurationError, match=r"http_client must be an open httpx\.AsyncClient"):
        AsyncWaveSpeed("test-key", http_client=httpx.Client())  # type: ignore[arg-type]


def test_a_callers_client_that_was_closed_meanwhile_is_named(fake: FakeWaveSpeed) -> None:
    mine = httpx.Client()
    ws = WaveSpeed(fake.api_key, base_url=fake.url, http_client=mine)
    mine.close()
    with pytest.raises(ConfigurationError, match="is closed"):
        ws.submit("a/b", {})

    async def run() -> None:
        mine = httpx.AsyncClient()
        ws = AsyncWaveSpeed(fake.api_key, base_url=fake.url, http_client=mine)
        await mine.aclose()
        with pytest.raises(ConfigurationError, match="is closed"):
            await ws.submit("a/b", {})

    asyncio.run(run())
    assert fake.requests == []
