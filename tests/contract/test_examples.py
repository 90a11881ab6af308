"""Every operation, status and example of the spec, replayed through the generated code and the clients."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from attrs import evolve, frozen

import wavespeed_api
from tests.conftest import Connect, Driven
from tests.contract.document import (
    KINDS,
    SCHEMAS,
    SPEC,
    bodies,
    module,
    operations,
    parameters,
    resolved,
    response_model,
    values,
)
from tests.contract.reading import assert_read_as, assert_same
from wavespeed_api.models import Prediction, TaskInput
from wavespeed_client import APIError, SubmissionUncertainError, Task
from wavespeed_client.testing import FakeWaveSpeed
from wavespeed_client.transport.submission import REFUSALS

START, END = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 31, tzinfo=UTC)

# The verb that calls each operation. Two operations have no verb.
ASKED_FOR = "6f1d3c2b"
VERBS: dict[str, Callable[[Driven, FakeWaveSpeed], Any] | None] = {
    "submit_task": lambda ws, fake: ws.submit("wavespeed-ai/flux-dev", {}),
    "submit_task_variant": lambda ws, fake: ws.submit("wavespeed-ai/flux-dev/turbo", {}),
    "get_result": lambda ws, fake: ws.get(task_at(fake, "/result")),
    "get_prediction": lambda ws, fake: ws.get(task_at(fake, "")),
    "list_predictions": lambda ws, fake: ws.tasks(),
    "delete_predictions": lambda ws, fake: ws.delete("abc"),
    "create_upload": None,
    "upload_binary": None,
    "list_models": lambda ws, fake: ws.models(),
    "get_price": lambda ws, fake: ws.price("wavespeed-ai/flux-dev", {"prompt": "a cat"}),
    "get_balance": lambda ws, fake: ws.balance(),
    "get_usage": lambda ws, fake: ws.usage(START, END),
    "search_billings": lambda ws, fake: ws.billings(),
    "get_webhook_secret": lambda ws, fake: ws.webhook_secret(),
}


@frozen
class Example:
    operation: str
    status: int
    value: Any

    @property
    def body(self) -> bytes:
        return json.dumps(self.value).encode()

    @property
    def kind(self) -> str:
        return KINDS[self.operation]


def examples() -> Iterator[Example]:
    for operation in operations():
        for status, response in operation["responses"].items():
            for value in values(resolved(response)["content"]["application/json"]):
                number = value["code"] if status.endswith("XX") else int(status)
                yield Example(operation["operationId"], number, value)


EXAMPLES = list(examples())
each_example = pytest.mark.parametrize("example", EXAMPLES, ids=lambda e: f"{e.operation}-{e.status}")


def test_every_operation_and_status_has_a_json_example() -> None:
    for operation in operations():
        for status, response in operation["responses"].items():
            (media_type,) = resolved(response)["content"]
            assert media_type == "application/json"
            found = list(values(resolved(response)["content"][media_type]))
            assert found, f"{operation['operationId']} {status}"
            assert not status.endswith("XX") or {str(value["code"])[0] for value in found} == {status[0]}
        for media in resolved(operation.get("requestBody", {})).get("content", {}).values():
            assert list(values(media)), operation["operationId"]


def test_every_operation_is_generated_replayed_and_in_the_table() -> None:
    names = {operation["operationId"] for operation in operations()}
    assert names == set(VERBS) == set(KINDS) == {example.operation for example in EXAMPLES}
    for name in names:
        assert callable(module(name).sync_detailed)
        assert callable(module(name).asyncio_detailed)


@pytest.fixture(scope="module")
def bare(running_fake: FakeWaveSpeed) -> Iterator[wavespeed_api.Client]:
    """The generated client without the overlay."""
    key = {"Authorization": f"Bearer {running_fake.api_key}"}
    with wavespeed_api.Client(base_url=running_fake.url, headers=key, verify_ssl=False) as client:
        yield client


@each_example
def test_generated_code_reads_every_example_whole(
    bare: wavespeed_api.Client, fake: FakeWaveSpeed, example: Example
) -> None:
    fake.raw(example.status, example.body, on=example.kind)
    segments, body = parameters(example.operation, "path"), next(bodies(example.operation))
    response = module(example.operation).sync_detailed(**segments, client=bare, **body)
    assert response.status_code == example.status
    assert response.content == example.body
    assert response.headers["Content-Type"] == "application/json"
    assert type(response.parsed) is response_model(example.operation, example.status)
    assert_same(response.parsed.to_dict(), example.value)
    assert_read_as(response.parsed, example.value, SCHEMAS[type(response.parsed).__name__])


@each_example
def test_clients_turn_every_example_into_the_documented_result(
    connect: Connect, fake: FakeWaveSpeed, example: Example
) -> None:
    if example.kind == "poll" and example.status == 200:  # a poll refuses a response about another task
        example = evolve(example, value={**example.value, "data": {**example.value["data"], "id": ASKED_FOR}})
    fake.raw(example.status, example.body, on=example.kind)
    ws = connect(base_url=fake.url, max_retries=0)
    verb = VERBS[example.operation] or by_the_generated_function(example.operation)
    if example.status == 200:
        assert_read(verb(ws, fake), example)
    elif example.kind == "submit" and example.status not in (*REFUSALS, 500):
        with pytest.raises(SubmissionUncertainError):
            verb(ws, fake)
    else:
        with pytest.raises(APIError) as caught:
            verb(ws, fake)
        assert caught.value.status_code == example.status
        assert caught.value.message == example.value.get("message", example.value.get("error"))
    (request,) = fake.requests
    fake.contract.check_request(request)


def by_the_generated_function(operation: str) -> Callable[[Driven, FakeWaveSpeed], Any]:
    segments, body = parameters(operation, "path"), next(bodies(operation))
    return lambda ws, fake: ws.call(module(operation), **segments, **body).parsed


def task_at(fake: FakeWaveSpeed, ending: str) -> Task:
    """Return a task whose own URL has this ending."""
    return Task(id=ASKED_FOR, model="", status="created", url=f"{fake.url}/api/v3/predictions/{ASKED_FOR}{ending}")


def assert_read(found: Any, example: Example) -> None:
    """Check that tasks hold what the example says; the other responses are tested by name."""
    data = example.value["data"]
    if isinstance(found, Task):
        assert_task(found, data)
    elif example.kind == "list":
        for task, item in zip(found, data["items"] or [], strict=True):
            assert_task(task, item)
    else:
        assert found is not None


def assert_task(task: Task, data: dict[str, Any]) -> None:
    assert task.raw == data
    assert (task.id, task.status) == (data["id"], data["status"])
    assert task.model == data.get("model", task.model)
    assert task.outputs == tuple(data.get("outputs") or ())
    assert (task.error or "") == data.get("error", "")
    assert task.code == data.get("code")
    assert task.url == data.get("urls", {}).get("get")
    assert task.inference_ms == data.get("timings", {}).get("inference")
    given = data.get("created_at")
    assert task.created_at == (datetime.fromisoformat(given) if given else None)


def test_request_examples_arrive_unchanged(connect: Connect, fake: FakeWaveSpeed) -> None:
    for value in values(SPEC["components"]["requestBodies"]["TaskInput"]["content"]["application/json"]):
        connect(base_url=fake.url).submit("wavespeed-ai/flux-dev", value)
        assert fake.calls[-1].input == value
        assert_read_as(TaskInput.from_dict(value), value, SCHEMAS["TaskInput"])


def test_webhook_examples_are_read_whole() -> None:
    post = SPEC["webhooks"]["taskFinished"]["post"]
    assert post["requestBody"]["content"]["application/json"]["schema"] == {"$ref": "#/components/schemas/Prediction"}
    for value in values(post["requestBody"]["content"]["application/json"]):
        prediction = Prediction.from_dict(value)
        assert_same(prediction.to_dict(), value)
        assert_read_as(prediction, value, SCHEMAS["Prediction"])
