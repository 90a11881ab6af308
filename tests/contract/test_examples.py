"""Every operation, status and example of the spec, replayed through the generated code and the clients."""

from __future__ import annotations

import json
from datetime import datetime
from importlib import import_module
from typing import TYPE_CHECKING, Any

import pytest
from attrs import frozen
from ruamel.yaml import YAML

import wavespeed_api
from tests.conftest import ROOT, Connect
from wavespeed_api.models import Prediction, PredictionQuery, TaskInput
from wavespeed_client import APIError, SubmissionUncertainError, Task
from wavespeed_client.submission import REFUSALS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from wavespeed_client.testing import FakeWaveSpeed

SPEC: dict[str, Any] = YAML(typ="safe").load(ROOT / "spec" / "openapi.yaml")
SEGMENTS = {
    "submit_task": ("wavespeed-ai", "flux-dev"),
    "submit_task_variant": ("wavespeed-ai", "z-image", "turbo"),
    "get_result": ("6f1d3c2b",),
    "get_prediction": ("6f1d3c2b",),
    "list_predictions": (),
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
        return {"submit": "submit", "get": "poll", "list": "list"}[self.operation.partition("_")[0]]


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
    return import_module(f"wavespeed_api.api.tasks.{operation}")


def arguments(example: Example) -> tuple[tuple[str, ...], dict[str, Any]]:
    bodies = {"submit": TaskInput(prompt="a cat"), "list": PredictionQuery(page=1, page_size=100)}
    return SEGMENTS[example.operation], {"body": bodies[example.kind]} if example.kind in bodies else {}


def test_every_operation_status_and_media_type_has_an_example() -> None:
    for operation in operations():
        for status, response in operation["responses"].items():
            for content_type, media in resolved(response)["content"].items():
                assert list(values(media)), f"{operation['operationId']} {status} {content_type}"
        for media in resolved(operation.get("requestBody", {})).get("content", {}).values():
            assert list(values(media)), operation["operationId"]


def test_every_operation_is_generated_and_replayed() -> None:
    names = {operation["operationId"] for operation in operations()}
    assert names == set(SEGMENTS) == {example.operation for example in EXAMPLES}
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
            if key == "created_at":
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
    with wavespeed_api.Client(base_url=running_fake.url) as client:
        yield client


@each_example
def test_generated_code_reads_it_whole(bare: wavespeed_api.Client, fake: FakeWaveSpeed, example: Example) -> None:
    fake.raw(example.status, example.body, example.content_type, on=example.kind)
    segments, body = arguments(example)
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
    segments, _ = arguments(example)
    ask = {
        "submit": lambda: ws.submit("/".join(segments), {}),
        "poll": lambda: ws.get(told(fake, example)),
        "list": ws.tasks,
    }
    if example.status == 200 and example.kind == "list":
        for task, data in zip(ask["list"](), example.value["data"]["items"] or [], strict=True):
            assert_task(task, data)
    elif example.status == 200:
        assert_task(ask[example.kind](), example.value["data"])
    elif example.kind == "submit" and example.status not in (*REFUSALS, 500):
        with pytest.raises(SubmissionUncertainError):
            ask["submit"]()
    else:
        with pytest.raises(APIError) as caught:
            ask[example.kind]()
        assert caught.value.status_code == example.status
        said = example.value if isinstance(example.value, dict) else {}
        assert caught.value.message in (said.get("message"), said.get("error")) or not said
    (request,) = fake.requests
    fake.contract.check_request(request)


def told(fake: FakeWaveSpeed, example: Example) -> Task:
    """A task whose own URL names the path of the example's operation."""
    ending = "/result" if example.operation == "get_result" else ""
    url = f"{fake.url}/api/v3/predictions/6f1d3c2b{ending}"
    return Task(id="6f1d3c2b", model="", status="created", url=url)


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
