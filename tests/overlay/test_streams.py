"""Streams, which are billed without a record: a request for one is not sent."""

from __future__ import annotations

from typing import Any

import pytest

from tests.conftest import Driven
from wavespeed_api.api.tasks import submit_task, submit_task_variant
from wavespeed_client import InvalidInputError, InvalidModelError, TaskInput, WaveSpeed
from wavespeed_client.testing import FakeWaveSpeed

pytestmark = pytest.mark.promise("stream")

FLUX = "wavespeed-ai/flux-dev"
REASON = "no record of it is kept"


def streamed_input() -> TaskInput:
    given = TaskInput(prompt="a cat")
    given["stream"] = True
    return given


@pytest.mark.parametrize("model", ["a/stream", "a/b/stream"])
def test_a_model_id_that_ends_in_stream_is_refused(ws: Driven, fake: FakeWaveSpeed, model: str) -> None:
    given = {"prompt": "a cat"}
    for verb in (
        lambda: ws.submit(model, given),
        lambda: ws.run(model, given),
        lambda: ws.run_many(model, [given]),
        lambda: ws.price(model, given),
    ):
        with pytest.raises(InvalidModelError, match=REASON):
            verb()
    assert fake.requests == []


@pytest.mark.parametrize("given", [{"stream": True}, {"prompt": "a cat", "stream": 1}, streamed_input()])
def test_an_input_that_requests_a_stream_is_refused(ws: Driven, fake: FakeWaveSpeed, given: Any) -> None:
    for verb in (lambda: ws.submit(FLUX, given), lambda: ws.run(FLUX, given), lambda: ws.price(FLUX, given)):
        with pytest.raises(InvalidInputError, match=REASON):
            verb()
    assert fake.requests == []


def test_an_input_that_requests_no_stream_is_sent(ws: Driven, fake: FakeWaveSpeed) -> None:
    given = {"stream": False, "settings": {"stream": True}, "prompt": '"stream": true'}
    ws.submit(FLUX, given)
    assert fake.calls[0].input == given


def test_a_batch_leaves_out_the_inputs_that_request_a_stream(ws: Driven, fake: FakeWaveSpeed) -> None:
    inputs: list[Any] = [{"prompt": "one"}, {"prompt": "two", "stream": True}, {"prompt": "three"}]
    outcomes = {outcome.index: outcome for outcome in ws.run_many(FLUX, inputs)}
    assert isinstance(outcomes[1].error, InvalidInputError)
    assert REASON in str(outcomes[1].error)
    assert outcomes[0].task.succeeded
    assert outcomes[2].task.succeeded
    assert sorted(call.input["prompt"] for call in fake.calls) == ["one", "three"]


def test_generated_functions_request_no_stream_either(ws: Driven, fake: FakeWaveSpeed) -> None:
    with pytest.raises(InvalidModelError, match=REASON):
        ws.call(submit_task, "a", "stream", body=TaskInput())
    with pytest.raises(InvalidModelError, match=REASON):
        ws.call(submit_task_variant, "a", "b", "stream", body=TaskInput())
    with pytest.raises(InvalidInputError, match=REASON):
        ws.call(submit_task, "a", "b", body=streamed_input())
    assert fake.requests == []


@pytest.mark.parametrize(
    "path", ["a/b/stream", "a/b/c/stream", "a/b/%73tream", "a/b/stream/", "a/b/stream?webhook=x", "a/b%2Fstream"]
)
def test_a_request_of_ones_own_to_a_streaming_path_is_refused(fake: FakeWaveSpeed, path: str) -> None:
    with WaveSpeed(fake.api_key, base_url=fake.url) as ws, pytest.raises(InvalidModelError, match=REASON):
        ws.api.get_httpx_client().post(f"/api/v3/{path}", json={})
    assert fake.requests == []


@pytest.mark.parametrize("body", [b'{"stream" :true}', b'{"\\u0073tream": true}', b'{"stream": false, "stream": true}'])
def test_a_body_of_ones_own_that_requests_a_stream_is_refused(fake: FakeWaveSpeed, body: bytes) -> None:
    with WaveSpeed(fake.api_key, base_url=fake.url) as ws, pytest.raises(InvalidInputError, match=REASON):
        ws.api.get_httpx_client().post("/api/v3/a/b", content=body, headers={"Content-Type": "application/json"})
    assert fake.requests == []
