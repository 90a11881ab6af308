"""The chain: what is sent again, what an outcome is called, and that nothing is held beyond its bounds."""

import asyncio
import gzip
import json
import logging
import threading
from typing import Any

import httpx
import pytest

from tests.conftest import Connect, Driven, RawServer, http
from wavespeed_api.api.tasks import get_result
from wavespeed_client import (
    APIConnectionError,
    APIError,
    AsyncWaveSpeed,
    ConfigurationError,
    RateLimitError,
    Settings,
    SubmissionUncertainError,
    UnexpectedResponseError,
    WaveSpeed,
)
from wavespeed_client.call import calling
from wavespeed_client.polling import Deadline
from wavespeed_client.submission import SYNC_MODE_SECONDS
from wavespeed_client.testing import FakeWaveSpeed
from wavespeed_client.transport import Attempt, Exchange, policy_for

TASK = json.dumps({"code": 200, "message": "success", "data": {"id": "abc", "status": "created"}}).encode()
BUSY = json.dumps({"code": 429, "message": "Slow down."}).encode()
SETTINGS = Settings.resolve("test-key", environment={})


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
    attempt = Attempt(httpx.Request("GET", "https://example.com"), SETTINGS)
    chunk, response = b"x" * 1024 * 1024, httpx.Response(200)
    for _ in range(64):
        attempt.add(chunk, response)
    with pytest.raises(UnexpectedResponseError, match="larger than 67108864 bytes"):
        attempt.add(b"x", response)


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
    assert Attempt(request, settings).seconds == expected
    assert request.extensions["timeout"]["read"] == expected


def test_a_deadline_bounds_reads_and_their_retries_but_no_submission(clock: Any) -> None:
    read = httpx.Request("GET", "https://api.wavespeed.ai/api/v3/predictions/abc")
    submission = httpx.Request("POST", "https://api.wavespeed.ai/api/v3/a/b", content=b"{}")
    policy = policy_for(submission=False, max_retries=3)
    with calling(Deadline.after(10, clock)):
        assert Attempt(read, SETTINGS).seconds == 10
        assert Attempt(submission, SETTINGS).seconds == SETTINGS.timeout
        assert policy.parse_retry_after("3600") == 10
        assert policy.parse_retry_after("3") == 3
        assert not policy.is_exhausted()
        clock.sleep(10)
        assert policy.is_exhausted()
        with pytest.raises(httpx.PoolTimeout):
            Attempt(read, SETTINGS)
    assert policy.parse_retry_after("3600") == 3600
    assert not policy.is_exhausted()


def test_back_off_grows_at_random_up_to_a_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wavespeed_client.transport.BACKOFF_SECONDS", 0.25)
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
        Exchange(request, SETTINGS)
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
    task = asyncio.run(first_use(ws))
    with pytest.raises(ConfigurationError, match="another event loop"):
        asyncio.run(ws.get(task))


async def first_use(ws: Any) -> Any:
    task = await ws.submit("a/b")
    await ws.api.get_async_httpx_client()._transport.aclose()
    return task
