"""What the errors of requests say, and what happens to the caller's own exceptions."""

from __future__ import annotations

import logging
from typing import Any

import httpx
import pytest

from tests.conftest import Connect, Driven
from tests.servers.in_process import Service
from tests.servers.raw import TASK, RawServer, envelope, http
from wavespeed_client import (
    APIConnectionError,
    AsyncWaveSpeed,
    AuthenticationError,
    ConfigurationError,
    NotFoundError,
    RateLimitError,
    SubmissionUncertainError,
    WaveSpeed,
)
from wavespeed_client.testing import FakeWaveSpeed

pytestmark = pytest.mark.usefixtures("no_backoff")

MODEL = "wavespeed-ai/flux-dev"


class SoftTimeLimitError(Exception):
    """An exception that a task queue raises in the code that it runs."""


def test_only_a_submission_says_that_nothing_was_started(connect: Connect) -> None:
    ws = connect(base_url="http://127.0.0.1:9", max_retries=0)
    with pytest.raises(APIConnectionError, match=r"/balance could not be sent to 127\.0\.0\.1:9 \(") as caught:
        ws.balance()
    assert "started" not in str(caught.value)
    with pytest.raises(APIConnectionError, match=r"could not be sent to 127\.0\.0\.1:9, so nothing was started \("):
        ws.submit(MODEL)


def test_a_lost_read_names_the_host(connect: Connect, raw_server: RawServer) -> None:
    raw_server.responses.append(b"")
    host = raw_server.url.removeprefix("http://")
    with pytest.raises(APIConnectionError, match=rf"/balance got no usable response from {host} \("):
        connect(base_url=raw_server.url, max_retries=0).balance()


def test_the_proxy_is_named_without_its_password(connect: Connect, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://anna:geheim@127.0.0.1:9")
    with pytest.raises(APIConnectionError) as caught:
        connect(base_url="https://api.example.com", max_retries=0).balance()
    assert "to api.example.com through the proxy http://127.0.0.1:9 (" in str(caught.value)
    assert "geheim" not in str(caught.value)


@pytest.mark.parametrize("source", ["WAVESPEED_API_KEY", "the argument api_key"])
def test_the_error_of_a_wrong_key_says_where_the_key_came_from(
    fake: FakeWaveSpeed, source: str, engine: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WAVESPEED_API_KEY", "wrong-key")
    given = "wrong-key" if source == "the argument api_key" else None
    kind: Any = WaveSpeed if engine == "sync" else AsyncWaveSpeed
    with pytest.raises(AuthenticationError) as caught:
        run(kind(given, base_url=fake.url), "balance")
    assert str(caught.value) == f"Invalid API key. (HTTP 401) The key is that of {source}."
    assert caught.value.message == "Invalid API key."


def run(client: Any, verb: str, *args: Any) -> Any:
    """Call a verb of a client of either kind."""
    import asyncio
    import inspect

    async def awaited() -> Any:
        result = getattr(client, verb)(*args)
        return await result if inspect.isawaitable(result) else result

    return asyncio.run(awaited())


def test_without_a_key_the_error_says_where_to_get_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WAVESPEED_API_KEY", raising=False)
    with pytest.raises(ConfigurationError, match=r"Make a key at https://wavespeed\.ai/accesskey\."):
        WaveSpeed()


def test_an_unknown_task_is_not_advised_to_be_waited_for(ws: Driven) -> None:
    with pytest.raises(NotFoundError) as caught:
        ws.wait("abc")
    assert [note for note in caught.value.__notes__ if "may run on" in note] == []


@pytest.mark.parametrize(("text", "seconds"), [("1.5", 1.5), (" 2 ", 2.0), ("0.25", 0.25), ("1,5", None), ("-1", None)])
def test_a_pause_may_have_a_fraction(connect: Connect, raw_server: RawServer, text: str, seconds: float | None) -> None:
    raw_server.responses.append(http(429, envelope(429), f"Retry-After: {text}"))
    with pytest.raises(RateLimitError) as caught:
        connect(base_url=raw_server.url, max_retries=0).submit(MODEL)
    assert caught.value.retry_after == seconds


def hooked(engine: str, hook: str) -> Any:
    """Return an httpx client whose hook raises an exception of the caller's."""

    def raise_limit(_: object) -> None:
        raise SoftTimeLimitError("too slow")

    async def raise_limit_async(_: object) -> None:
        raise SoftTimeLimitError("too slow")

    if engine == "sync":
        return httpx.Client(event_hooks={hook: [raise_limit]}, trust_env=False)
    return httpx.AsyncClient(event_hooks={hook: [raise_limit_async]}, trust_env=False)


@pytest.mark.parametrize("hook", ["request", "response"])
def test_an_exception_of_the_callers_passes_through_a_read(
    connect: Connect, raw_server: RawServer, engine: str, hook: str
) -> None:
    raw_server.responses.append(http(200, TASK))
    ws = connect(base_url=raw_server.url, http_client=hooked(engine, hook))
    with pytest.raises(SoftTimeLimitError) as caught:
        ws.wait("abc")
    assert "The wait for task abc was cut short" in caught.value.__notes__[-1]
    assert len(raw_server.requests) == (hook == "response")


def test_an_exception_of_the_callers_after_a_submission_leaves_it_uncertain(
    connect: Connect, raw_server: RawServer, engine: str
) -> None:
    raw_server.responses.append(http(200, TASK))
    ws = connect(base_url=raw_server.url, http_client=hooked(engine, "response"))
    with pytest.raises(SubmissionUncertainError) as caught:
        ws.submit(MODEL)
    assert isinstance(caught.value.__cause__, SoftTimeLimitError)
    assert len(raw_server.requests) == 1


def test_a_submission_is_logged_in_one_line_and_its_end_in_another(
    ws: Driven, fake: FakeWaveSpeed, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, "wavespeed_client"):
        task = ws.run(MODEL, {"prompt": "a cat"})
    logged = [record.getMessage() for record in caplog.records if record.name == "wavespeed_client"]
    assert logged == [f"Task {task.id} was submitted to {MODEL}.", f"Task {task.id} ended as completed."]


def test_a_batch_logs_each_submission_and_its_end(
    attach: Any, service: Service, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, "wavespeed_client"):
        attach().run_many(MODEL, [{"tag": "a"}, {"tag": "b"}])
    logged = [record.getMessage().split(" ", 2)[2] for record in caplog.records if record.name == "wavespeed_client"]
    assert sorted(logged) == ["ended as completed."] * 2 + [f"was submitted to {MODEL}."] * 2


def test_without_asyncio_an_async_client_says_what_to_do() -> None:
    """A coroutine driven by another event loop, as trio's is, finds no running loop of asyncio's."""
    client = AsyncWaveSpeed("key", base_url="http://127.0.0.1:9")
    with pytest.raises(ConfigurationError, match="only under asyncio"):
        client.balance().send(None)
    with pytest.raises(ConfigurationError, match="only under asyncio"):  # at the end of `async with`, too
        client.aclose().send(None)
