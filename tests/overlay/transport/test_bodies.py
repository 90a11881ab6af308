"""Any body, conforming or not, becomes a task or one of our errors, which keeps what is useful."""

from __future__ import annotations

import asyncio
import itertools
import json
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML
from schemathesis import GenerationMode

from tests.conftest import ROOT
from wavespeed_client import (
    APIConnectionError,
    APIError,
    AsyncWaveSpeed,
    SubmissionUncertainError,
    Task,
    UnexpectedResponseError,
    WaveSpeed,
)

pytestmark = pytest.mark.promise("any-body", "odd-field")

SPEC: dict[str, Any] = YAML(typ="safe").load(ROOT / "spec" / "openapi.yaml")
NUMBERS = itertools.count()
FEW = settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))


def bodies(schema: str, mode: GenerationMode) -> st.SearchStrategy[Any]:
    """Return a strategy for values that fit a schema of the spec, or do not, as the body of a request."""
    content = {"application/json": {"schema": {"$ref": f"#/components/schemas/{schema}"}}}
    operation = {"requestBody": {"required": True, "content": content}, "responses": {"200": {"description": "-"}}}
    document = {"openapi": "3.1.0", "info": {"title": "-", "version": "1"}, "paths": {"/": {"post": operation}}}
    api = schemathesis.openapi.from_dict({**document, "components": {"schemas": SPEC["components"]["schemas"]}})
    return api["/"]["POST"].as_strategy(generation_mode=mode).map(lambda case: case.body)


class Mirror:
    """A service that responds to every request with the same status and bytes, for clients of both kinds."""

    def __init__(self) -> None:
        self.status, self.body, self.sent = 200, b"", 0
        self.runner = asyncio.Runner()
        arguments: dict[str, Any] = {"max_retries": 0}
        transport = httpx.MockTransport(self.respond)
        self.sync = WaveSpeed("test-key", http_client=httpx.Client(transport=transport), **arguments)
        self.asynchronous = AsyncWaveSpeed("test-key", http_client=httpx.AsyncClient(transport=transport), **arguments)

    def respond(self, request: httpx.Request) -> httpx.Response:
        self.sent += 1
        return httpx.Response(self.status, content=self.body)

    def serve(self, status: int, value: Any) -> None:
        self.status = status
        self.body = value if isinstance(value, bytes) else json.dumps(value).encode("utf-8", "surrogatepass")

    def outcomes(self, verb: Callable[[Any], Any]) -> list[Any]:
        """Return what the verb returns or raises on both clients. Errors that are not ours pass through."""
        return [self.caught(lambda: verb(self.sync)), self.caught(lambda: self.run(verb(self.asynchronous)))]

    def run(self, result: Any) -> Any:
        async def whole() -> Any:
            return [item async for item in result] if hasattr(result, "__aiter__") else await result

        return self.runner.run(whole())

    def caught(self, call: Callable[[], Any]) -> Any:
        try:
            result = call()
            return list(result) if isinstance(result, Iterator) else result
        except (APIConnectionError, APIError, UnexpectedResponseError, SubmissionUncertainError) as error:
            return error


@pytest.fixture(scope="module")
def mirror() -> Iterator[Mirror]:
    mirror = Mirror()
    yield mirror
    mirror.runner.close()


VERBS: dict[str, Callable[[Any], Any]] = {
    "submit": lambda ws: ws.submit("a/b", {"prompt": "a cat"}),
    "get": lambda ws: ws.get("abc"),
    "tasks": lambda ws: ws.tasks(),
}


@pytest.mark.no_cover
@FEW
@given(body=bodies("PredictionEnvelope", GenerationMode.POSITIVE))
def test_a_conforming_task_is_never_lost(mirror: Mirror, body: Any) -> None:
    if isinstance(body.get("code"), int):
        body["code"] = 200
    task_id = body["data"]["id"] = f"task-{next(NUMBERS)}"  # each submission starts a new task
    mirror.serve(200, body)
    for verb in (VERBS["submit"], lambda ws: ws.get(task_id)):
        for task in mirror.outcomes(verb):
            assert isinstance(task, Task)
            assert task.raw == body["data"]
            assert task.outputs == tuple(body["data"].get("outputs") or ())
            assert task.status == (body["data"].get("status") or "unknown")


@pytest.mark.no_cover
@FEW
@given(body=bodies("PredictionPageEnvelope", GenerationMode.POSITIVE))
def test_a_conforming_list_is_read_whole(mirror: Mirror, body: Any) -> None:
    body["code"] = 200
    rows = body["data"]["items"] or []
    items = [row for row in rows if row is not None]
    for number, item in enumerate(items):
        item["id"] = f"task-{number}"
    mirror.serve(200, body)
    for tasks in mirror.outcomes(VERBS["tasks"]):
        if rows and not items:  # it must not pass for an empty list
            assert isinstance(tasks, UnexpectedResponseError)
        else:
            assert [task.raw for task in tasks] == items


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
)
STATUSES = st.sampled_from([200, 200, 200, 201, 204, 302, 400, 404, 429, 499, 500, 502, 520, 599])


@pytest.mark.no_cover
@FEW
@given(
    status=STATUSES,
    value=bodies("PredictionEnvelope", GenerationMode.NEGATIVE)
    | bodies("PredictionPageEnvelope", GenerationMode.NEGATIVE)
    | bodies("ErrorEnvelope", GenerationMode.NEGATIVE)
    | ANYTHING
    | st.binary(),
)
@example(status=200, value=b"[" * 1_000_000)
@example(status=200, value=b'{"data": ' * 1_000_000)
@example(status=200, value={"data": {"id": "a", "created_at": "99999-99-99T99:99:99Z", "timings": 5}})
@example(status=200, value={"code": True, "data": {"id": "a"}})
@example(status=200, value={"code": 10**30, "data": {"id": "a"}})
@example(status=200, value={"code": -1, "data": {"id": ["a"]}})
@example(status=500, value={"code": 500, "message": {"a": 1}})
def test_every_body_results_in_a_documented_result_or_error(mirror: Mirror, status: int, value: Any) -> None:
    mirror.serve(status, value)
    for name, verb in VERBS.items():
        before = mirror.sent
        for outcome in mirror.outcomes(verb):
            assert isinstance(outcome, Task | list | Exception)
            if isinstance(outcome, Exception):
                assert len(getattr(outcome, "body", "")) <= 500
                assert len(str(outcome)) < 2000
            if isinstance(outcome, SubmissionUncertainError):
                assert name == "submit"
                assert outcome.input == {"prompt": "a cat"}
        assert mirror.sent - before == 2
