"""Every operation, status and example of the spec, replayed through the generated code and the clients."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from importlib import import_module
from io import BytesIO
from typing import Any

import pytest
from attrs import frozen
from ruamel.yaml import YAML

import wavespeed_api
from tests.conftest import ROOT, Connect, Driven
from wavespeed_api import models
from wavespeed_api.models import Prediction, TaskInput
from wavespeed_api.types import File
from wavespeed_client import APIError, SubmissionUncertainError, Task
from wavespeed_client.submission import REFUSALS
from wavespeed_client.testing import FakeWaveSpeed

SPEC: dict[str, Any] = YAML(typ="safe").load(ROOT / "spec" / "openapi.yaml")
START, END = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 31, tzinfo=UTC)

# How each operation is reached: the name of its answers in the stand-in, and the verb. One has no verb.
VERBS: dict[str, tuple[str, Callable[[Driven, FakeWaveSpeed], Any] | None]] = {
    "submit_task": ("submit", lambda ws, fake: ws.submit("wavespeed-ai/flux-dev", {})),
    "submit_task_variant": ("submit", lambda ws, fake: ws.submit("wavespeed-ai/flux-dev/turbo", {})),
    "get_result": ("poll", lambda ws, fake: ws.get(told(fake, "/result"))),
    "get_prediction": ("poll", lambda ws, fake: ws.get(told(fake, ""))),
    "list_predictions": ("list", lambda ws, fake: ws.tasks()),
    "delete_predictions": ("delete", lambda ws, fake: ws.delete("abc")),
    "create_upload": ("upload", None),
    "upload_binary": ("binary", None),
    "list_models": ("models", lambda ws, fake: ws.models()),
    "get_price": ("price", lambda ws, fake: ws.price("wavespeed-ai/flux-dev", {"prompt": "a cat"})),
    "get_balance": ("balance", lambda ws, fake: ws.balance()),
    "get_usage": ("usage", lambda ws, fake: ws.usage(START, END)),
    "search_billings": ("billings", lambda ws, fake: ws.billings()),
    "get_webhook_secret": ("secret", lambda ws, fake: ws.webhook_secret()),
}


@frozen
class Example:
    operation: str
    status: int
    content_type: str
    value: Any

    @property
    def body(self) -> bytes:
        text = self.value if self.content_type == "text/html" else json.dumps(self.value)
        return text.encode()

    @property
    def kind(self) -> str:
        return VERBS[self.operation][0]


def resolved(node: dict[str, Any]) -> dict[str, Any]:
    while "$ref" in node:
        target: Any = SPEC
        for key in node["$ref"].removeprefix("#/").split("/"):
            target = target[key]
        node = target
    return node


def operations() -> Iterator[dict[str, Any]]:
    for item in SPEC["paths"].values():
        yield from item.values()


def values(media: dict[str, Any]) -> Iterator[Any]:
    if "example" in media:
        yield media["example"]
    for example in media.get("examples", {}).values():
        yield example["value"]


def examples() -> Iterator[Example]:
    for operation in operations():
        for status, response in operation["responses"].items():
            for content_type, media in resolved(response)["content"].items():
                for value in values(media):
                    number = value["code"] if status == "default" else int(status)
                    yield Example(operation["operationId"], number, content_type, value)


EXAMPLES = list(examples())
each_example = pytest.mark.parametrize("example", EXAMPLES, ids=lambda e: f"{e.operation}-{e.status}-{e.content_type}")


def module(operation: str) -> Any:
    (tag,) = next(each["tags"] for each in operations() if each["operationId"] == operation)
    return import_module(f"wavespeed_api.api.{tag}.{operation}")


def arguments(operation: str) -> tuple[list[str], dict[str, Any]]:
    """What the generated function takes: the spec's own examples of its path parameters and body."""
    described = next(each for each in operations() if each["operationId"] == operation)
    parameters = [resolved(parameter) for parameter in described.get("parameters", [])]
    segments = [parameter["example"] for parameter in parameters if parameter["in"] == "path"]
    for content_type, media in resolved(described.get("requestBody", {})).get("content", {}).items():
        model = getattr(models, media["schema"]["$ref"].rpartition("/")[2])
        if content_type == "multipart/form-data":
            return segments, {"body": model(file=File(payload=BytesIO(b"bytes"), file_name="harbour.jpeg"))}
        return segments, {"body": model.from_dict(next(values(media)))}
    return segments, {}


def test_every_operation_status_and_media_type_has_an_example() -> None:
    for operation in operations():
        for status, response in operation["responses"].items():
            for content_type, media in resolved(response)["content"].items():
                assert list(values(media)), f"{operation['operationId']} {status} {content_type}"
        for media in resolved(operation.get("requestBody", {})).get("content", {}).values():
            assert list(values(media)), operation["operationId"]


def test_every_operation_is_generated_replayed_and_in_the_table() -> None:
    names = {operation["operationId"] for operation in operations()}
    assert names == set(VERBS) == {example.operation for example in EXAMPLES}
    for name in names:
        assert callable(module(name).sync_detailed)
        assert callable(module(name).asyncio_detailed)


def unread_keys(value: Any, schema: str) -> set[str]:
    """The keys that the schema names and the parsed model has nevertheless left over."""
    return set(value.additional_properties) & set(SPEC["components"]["schemas"][schema].get("properties", {}))


def assert_same(written: Any, example: Any) -> None:
    """Equal but for timestamps, of which the generated code keeps microseconds."""
    if isinstance(example, dict):
        assert set(written) == set(example)
        for key, value in example.items():
            if key in ("created_at", "expires_at"):
                assert datetime.fromisoformat(written[key]) == datetime.fromisoformat(value)
            else:
                assert_same(written[key], value)
    elif isinstance(example, list):
        assert len(written) == len(example)
        for one, other in zip(written, example, strict=True):
            assert_same(one, other)
    else:
        assert written == example


def assert_all_named_keys_are_read(value: Any) -> None:
    """In this model and in every model inside it."""
    if isinstance(value, list):
        for item in value:
            assert_all_named_keys_are_read(item)
    elif hasattr(value, "additional_properties"):
        assert not unread_keys(value, type(value).__name__)
        for name in vars(type(value))["__slots__"] if hasattr(type(value), "__slots__") else vars(value):
            assert_all_named_keys_are_read(getattr(value, name, None))


@pytest.fixture(scope="module")
def bare(running_fake: FakeWaveSpeed) -> Iterator[wavespeed_api.Client]:
    """The generated client by itself, without the overlay."""
    key = {"Authorization": f"Bearer {running_fake.api_key}"}
    with wavespeed_api.Client(base_url=running_fake.url, headers=key) as client:
        yield client


@each_example
def test_generated_code_reads_it_whole(bare: wavespeed_api.Client, fake: FakeWaveSpeed, example: Example) -> None:
    fake.raw(example.status, example.body, example.content_type, on=example.kind)
    segments, body = arguments(example.operation)
    if example.content_type == "text/html":
        with pytest.raises(json.JSONDecodeError):  # why the overlay's chain reads answers first
            module(example.operation).sync_detailed(*segments, client=bare, **body)
        return
    answer = module(example.operation).sync_detailed(*segments, client=bare, **body)
    assert answer.status_code == example.status
    assert_same(answer.parsed.to_dict(), example.value)
    assert_all_named_keys_are_read(answer.parsed)


@each_example
def test_clients_make_of_it_what_the_design_says(connect: Connect, fake: FakeWaveSpeed, example: Example) -> None:
    fake.raw(example.status, example.body, example.content_type, on=example.kind)
    ws = connect(base_url=fake.url, max_retries=0)
    verb = VERBS[example.operation][1] or by_the_generated_function(example.operation)
    if example.status == 200:
        assert_read(verb(ws, fake), example)
    elif example.kind == "submit" and example.status not in (*REFUSALS, 500):
        with pytest.raises(SubmissionUncertainError):
            verb(ws, fake)
    else:
        with pytest.raises(APIError) as caught:
            verb(ws, fake)
        assert caught.value.status_code == example.status
        said = example.value if isinstance(example.value, dict) else {}
        assert caught.value.message in (said.get("message"), said.get("error")) or not said
    (request,) = fake.requests
    fake.contract.check_request(request)


def by_the_generated_function(operation: str) -> Callable[[Driven, FakeWaveSpeed], Any]:
    segments, body = arguments(operation)
    return lambda ws, fake: ws.call(module(operation), *segments, **body).parsed


def told(fake: FakeWaveSpeed, ending: str) -> Task:
    """A task whose own URL has this ending."""
    return Task(id="6f1d3c2b", model="", status="created", url=f"{fake.url}/api/v3/predictions/6f1d3c2b{ending}")


def assert_read(found: Any, example: Example) -> None:
    """Tasks hold what the example says; the other answers are tested by name."""
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
        assert_all_named_keys_are_read(TaskInput.from_dict(value))


def test_webhook_examples_are_read_whole() -> None:
    post = SPEC["webhooks"]["taskFinished"]["post"]
    assert post["requestBody"]["content"]["application/json"]["schema"] == {"$ref": "#/components/schemas/Prediction"}
    for value in values(post["requestBody"]["content"]["application/json"]):
        prediction = Prediction.from_dict(value)
        assert_same(prediction.to_dict(), value)
        assert_all_named_keys_are_read(prediction)
