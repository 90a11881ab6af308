"""The chain as a whole: where the key goes, what is logged, and who may use a client."""

import asyncio
import gc
import logging
import pickle
import subprocess
import sys
import threading
import traceback
from typing import Any

import httpx
import pytest

from tests.conftest import SETTINGS, Connect, Driven, both_transports, every_engine
from tests.servers.raw import TASK, RawServer, envelope, http
from wavespeed_api.api.tasks import get_result
from wavespeed_client import (
    APIError,
    AsyncWaveSpeed,
    ConfigurationError,
    InvalidInputError,
    Task,
    WaveSpeed,
    WaveSpeedError,
)
from wavespeed_client.testing import FakeWaveSpeed
from wavespeed_client.transport.authorization import Authorization
from wavespeed_client.transport.exchange import Exchange

pytestmark = pytest.mark.promise("key-origin", "key-hidden", "log", "misuse")

engine = every_engine


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
        Authorization(SETTINGS).attach(request)
        assert request.headers.get("Authorization") == sent


def test_the_key_is_masked_where_a_response_is_quoted(connect: Connect, raw_server: RawServer) -> None:
    raw_server.responses.append(http(401, b'{"code": 401, "message": "No such key: wsk_secret"}'))
    with pytest.raises(APIError) as caught:
        connect("wsk_secret", base_url=raw_server.url).get("abc")
    assert caught.value.message == "No such key: ***"
    assert "wsk_secret" not in caught.value.body


def test_the_log_has_method_path_outcome_and_time_only(
    ws: Driven, fake: FakeWaveSpeed, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG, "wavespeed_client"):
        task = ws.submit("a/b", {"prompt": "a secret cat"}, webhook="https://example.com/?token=secret")
    line, submitted = [record.getMessage() for record in caplog.records if record.name == "wavespeed_client"]
    assert line.startswith("POST /api/v3/a/b: 200 in ")
    assert line.endswith(" ms")
    assert submitted == f"Task {task.id} was submitted to a/b."


def test_ws_api_retries_and_raises_as_the_verbs_do(connect: Connect, raw_server: RawServer) -> None:
    raw_server.responses += [http(503, b"{}"), http(200, TASK)]
    assert connect(base_url=raw_server.url).call(get_result, "abc").parsed.data.id == "abc"
    raw_server.responses += [http(404, envelope(404))]
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


@both_transports
def test_an_async_client_belongs_to_its_first_loop(fake: FakeWaveSpeed, transport: Any) -> None:
    ws = AsyncWaveSpeed(fake.api_key, base_url=fake.url, transport=transport)

    async def first_use() -> Task:
        task = await ws.submit("a/b")
        assert len(asyncio.all_tasks()) == 1
        return task

    task = asyncio.run(first_use())
    with pytest.raises(ConfigurationError, match="another event loop"):
        asyncio.run(ws.get(task))
    asyncio.run(ws.aclose())  # its connections ended with their loop
    with pytest.raises(ConfigurationError, match="closed"):
        asyncio.run(ws.get(task))


def test_a_key_that_a_response_repeats_in_any_way_is_hidden(connect: Connect, raw_server: RawServer) -> None:
    key = "-".join(["wsk", "secret"])  # a traceback also shows the source
    escaped = "".join(f"\\u{ord(character):04x}" for character in key)
    responses = [
        http(400, f'{{"message": "{escaped}"}}'.encode()),
        http(200, b"{}", f"foo bar: Bearer {key}"),
        http(200, f'{{"data": {{"id": "{key} /"}}}}'.encode()),
        http(500, key.encode()),
    ]
    for response in responses:
        for verb, argument in (("submit", "a/b"), ("get", "abc")):
            raw_server.responses[:] = [response] * 2
            with pytest.raises(WaveSpeedError) as caught:
                getattr(connect(key, base_url=raw_server.url, max_retries=0), verb)(argument)
            assert key not in "".join(traceback.format_exception(caught.value))
            assert key.encode() not in pickle.dumps(caught.value)


def test_a_request_that_httpx_cannot_make_is_an_invalid_input(ws: Driven, fake: FakeWaveSpeed) -> None:
    with pytest.raises(InvalidInputError, match="nothing was sent"):
        ws.call(get_result, "a" * 70_000)
    with pytest.raises(InvalidInputError, match="prompt is text with half of a surrogate pair"):
        ws.price("a/b", {"prompt": "\ud800"})
    assert fake.requests == []


def test_a_client_cannot_be_used_after_a_fork(fake: FakeWaveSpeed) -> None:
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


def test_a_key_at_the_edge_of_a_quotation_is_hidden_whole(connect: Connect, raw_server: RawServer) -> None:
    body = b"x" * 490 + b"wsk-live-secret-0123456789"
    raw_server.responses.append(http(404, body))
    with pytest.raises(APIError) as caught:
        connect("wsk-live-secret-0123456789", base_url=raw_server.url).get("abc")
    assert "wsk" not in caught.value.body


def test_the_other_mode_of_api_names_the_right_class(ws: Driven) -> None:
    if isinstance(ws.client, WaveSpeed):
        with pytest.raises(ConfigurationError, match="AsyncWaveSpeed"):
            asyncio.run(get_result.asyncio_detailed("abc", client=ws.api))
    else:
        with pytest.raises(ConfigurationError, match="a WaveSpeed"):
            get_result.sync_detailed("abc", client=ws.api)


def exchanges() -> int:
    return sum(isinstance(thing, Exchange) for thing in gc.get_objects())


def test_a_call_leaves_nothing_to_the_garbage_collector(ws: Driven) -> None:
    ws.submit("a/b")
    gc.collect()
    before = exchanges()
    gc.disable()
    try:
        ws.get(ws.submit("a/b"))
        assert exchanges() == before
    finally:
        gc.enable()
