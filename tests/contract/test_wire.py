"""What the two clients send, as the server saw it."""

import json
from typing import Any

import pytest

import wavespeed_client
from tests.conftest import Connect, Driven
from tests.servers.raw import RawServer, envelope, http
from wavespeed_client import InvalidInputError, InvalidModelError, SubmissionUncertainError, TaskInput
from wavespeed_client.arguments import RESERVED_WORDS, input_fields, split_model
from wavespeed_client.testing import Contract, ContractError, FakeWaveSpeed, Request

FLUX = "wavespeed-ai/flux-dev"


def prediction(**data: Any) -> bytes:
    """Return the service's response about a task."""
    data = {"id": "task-1", "model": FLUX, **data}
    return http(200, json.dumps({"code": 200, "message": "success", "data": data}).encode())


def test_a_submission_and_its_poll_are_as_documented(
    connect: Connect, raw_server: RawServer, contract: Contract
) -> None:
    raw_server.responses += [
        prediction(status="created", created_at="2026-01-01T12:00:00.123456789Z"),
        prediction(status="completed", outputs=["https://example.com/1.png"]),
    ]
    ws = connect("wsk_live_1234", base_url=raw_server.url)
    given = {"prompt": "A cat wearing a space suit", "width": 1024, "height": 768, "seed": 42}

    task = ws.run(FLUX, {**given, "webhook_url": "https://example.com/hook"})

    posted, polled = raw_server.requests
    assert posted.line == "POST /api/v3/wavespeed-ai/flux-dev HTTP/1.1"
    assert posted.headers["Authorization"] == "Bearer wsk_live_1234"
    assert posted.headers["Content-Type"] == "application/json"
    assert posted.headers["User-Agent"] == f"wavespeed-client/{wavespeed_client.__version__}"
    assert json.loads(posted.body) == {**given, "webhook_url": "https://example.com/hook"}
    assert polled.line == "GET /api/v3/predictions/task-1/result HTTP/1.1"
    assert polled.headers["Authorization"] == "Bearer wsk_live_1234"
    assert (task.id, task.status, task.outputs) == ("task-1", "completed", ("https://example.com/1.png",))
    contract.check_request(Request("POST", posted.path, posted.headers, posted.body))
    contract.check_request(Request("GET", polled.path, polled.headers))


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, wavespeed_client.BadRequestError),
        (401, wavespeed_client.AuthenticationError),
        (403, wavespeed_client.PermissionDeniedError),
        (404, wavespeed_client.NotFoundError),
        (413, wavespeed_client.APIError),
        (429, wavespeed_client.RateLimitError),
        (500, wavespeed_client.ServerError),
    ],
)
def test_each_documented_refusal_raises_its_class_with_the_services_message(
    connect: Connect, raw_server: RawServer, status: int, kind: type[wavespeed_client.APIError]
) -> None:
    raw_server.responses.append(http(status, envelope(status)))
    ws = connect(base_url=raw_server.url, max_retries=0)
    with pytest.raises(kind) as caught:
        ws.submit(FLUX, {"prompt": "a cat"})
    assert type(caught.value) is kind
    assert (caught.value.status_code, caught.value.code) == (status, status)
    assert caught.value.message == "No."
    assert len(raw_server.requests) == 1


@pytest.mark.parametrize("status", [502, 503, 504])
def test_a_gateways_response_leaves_a_submission_uncertain(
    connect: Connect, raw_server: RawServer, status: int
) -> None:
    raw_server.responses.append(http(status, envelope(status)))
    with pytest.raises(SubmissionUncertainError) as caught:
        connect(base_url=raw_server.url).submit(FLUX, {"prompt": "a cat"})
    assert (caught.value.model, caught.value.input) == (FLUX, {"prompt": "a cat"})
    assert len(raw_server.requests) == 1


@pytest.mark.parametrize("model", [FLUX, "wavespeed-ai/z-image/turbo", "a.b_c/D-1.0", "minimax/video-01"])
@pytest.mark.parametrize("webhook", [None, "https://example.com/hook?token=a%20b&x=/"])
def test_model_webhook_and_input_arrive_as_given(
    ws: Driven, fake: FakeWaveSpeed, model: str, webhook: str | None
) -> None:
    given = {
        "prompt": "\u00fc \U0001f431",
        "seed": -1,
        "loras": [{"path": "a/b", "scale": 0.5}],
        "flag": None,
        "to_dict": 1,
    }
    task = ws.submit(model, given, webhook=webhook)
    (call,) = fake.calls
    assert (call.model, call.input, call.webhook) == (model, given, webhook)
    assert (task.model, task.status, task.done) == (model, "created", False)


@pytest.mark.parametrize("given", [None, {}, TaskInput()])
def test_an_empty_input_is_an_empty_object(ws: Driven, fake: FakeWaveSpeed, given: Any) -> None:
    ws.submit(FLUX, given)
    assert fake.requests[0].body == b"{}"


def test_a_typed_input_is_sent_like_a_mapping(ws: Driven, fake: FakeWaveSpeed) -> None:
    given = TaskInput(prompt="a cat", width=512)
    given["guidance_scale"] = 3.5
    ws.submit(FLUX, given)
    assert fake.calls[0].input == {"prompt": "a cat", "width": 512, "guidance_scale": 3.5}


def test_the_older_path_is_polled_when_the_task_names_it(ws: Driven, fake: FakeWaveSpeed) -> None:
    task = ws.submit(FLUX)
    older = f"{fake.url}/api/v3/predictions/{task.id}"
    elsewhere = f"http://example.com/api/v3/predictions/{task.id}"
    for url, path in ((task.url, f"{task.id}/result"), (older, task.id), (elsewhere, f"{task.id}/result")):
        ws.get(wavespeed_client.Task(id=task.id, model=FLUX, status="created", url=url))
        assert fake.requests[-1].target == f"/api/v3/predictions/{path}"


def test_the_spec_and_the_overlay_reserve_the_same_first_words(spec: dict[str, Any]) -> None:
    pattern: str = spec["components"]["parameters"]["Provider"]["schema"]["pattern"]
    assert set(pattern.partition("(?!(?:")[2].partition(")$)")[0].split("|")) == RESERVED_WORDS
    for path in spec["paths"]:
        first = path.removeprefix("/api/v3/").partition("/")[0]
        assert first in RESERVED_WORDS or first == "{provider}"


@pytest.mark.parametrize(
    "model",
    ["a/stream", "a/b/stream", "stream/b", "a/stream/b", "a/streams", "a/b/live-stream", "a/-b", "a/b/c/d"],
)
def test_the_spec_and_the_overlay_take_the_same_model_ids(contract: Contract, model: str) -> None:
    def accepted(check: Any, *args: Any) -> bool:
        try:
            check(*args)
        except (InvalidModelError, ContractError):
            return False
        return True

    headers = {"Authorization": "Bearer test-key", "Content-Type": "application/json"}
    request = Request("POST", f"/api/v3/{model}", headers, b"{}")
    assert accepted(contract.check_request, request) == accepted(split_model, model)


@pytest.mark.parametrize("value", [True, False, None, 0, 1, "true", {}])
def test_the_spec_and_the_overlay_take_the_same_inputs(contract: Contract, value: Any) -> None:
    given = {"stream": value}
    headers = {"Authorization": "Bearer test-key", "Content-Type": "application/json"}
    request = Request("POST", f"/api/v3/{FLUX}", headers, json.dumps(given).encode())
    if value is False:
        contract.check_request(request)
        assert input_fields(given) == given
        return
    with pytest.raises(ContractError, match="stream"):
        contract.check_request(request)
    with pytest.raises(InvalidInputError, match="no record of it is kept"):
        input_fields(given)
