"""Tasks: plain data, read leniently."""

import copy
import pickle
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.conftest import Driven
from wavespeed_api.models import Durations, Prediction, StructuredOutput, TaskAddresses
from wavespeed_client import InvalidInputError, Task
from wavespeed_client.parsing import task_in
from wavespeed_client.testing import FakeWaveSpeed

pytestmark = pytest.mark.promise("odd-field")

WHOLE = Task(
    id="abc",
    model="a/b",
    status="completed",
    outputs=("https://example.com/1.png", {"label": "cat"}),
    created_at=datetime(2026, 1, 1, tzinfo=UTC),
    raw={"id": "abc", "outputs": ["https://example.com/1.png", {"label": "cat"}]},
)


def read(**data: Any) -> Task:
    return task_in({"id": "abc", **data}, "a/b")


def test_tasks_survive_pickle_and_copy() -> None:
    for again in (pickle.loads(pickle.dumps(WHOLE)), copy.copy(WHOLE), copy.deepcopy(WHOLE)):
        assert again == WHOLE
        assert again.raw == WHOLE.raw
        assert hash(again) == hash(WHOLE)


def test_tasks_are_frozen_hashed_by_id_and_compared_without_raw() -> None:
    with pytest.raises(AttributeError):
        WHOLE.status = "failed"  # type: ignore[misc]
    assert hash(Task(id="abc", model="", status="created")) == hash(WHOLE)
    assert Task(id="abc", model="", status="created") != WHOLE
    assert Task(id="abc", model="", status="x", raw={"a": 1}) == Task(id="abc", model="", status="x")
    assert "raw" not in repr(WHOLE)


@pytest.mark.parametrize(
    ("status", "done", "succeeded"),
    [
        *((status, False, False) for status in ("created", "pending", "queued", "processing", "unheard-of", "unknown")),
        *((status, True, False) for status in ("failed", "cancelled", "timeout", "deleted")),
        ("completed", True, True),
    ],
)
def test_the_status_decides_whether_a_task_is_done(status: str, done: bool, succeeded: bool) -> None:
    task = read(status=status)
    assert (task.status, task.done, task.succeeded) == (status, done, succeeded)


ODD: list[Any] = [None, "", "x", 7, -1.5, True, [], [None], [[]], {}, {"a": 1}, {"get": 5, "inference": "x"}]
FIELDS = ["model", "status", "outputs", "urls", "has_nsfw_contents", "created_at", "error", "code", "timings", "input"]


@pytest.mark.parametrize("name", [*FIELDS, "executionTime", "new_field"])
@pytest.mark.parametrize("value", ODD, ids=repr)
def test_an_odd_field_never_loses_a_task_and_raw_keeps_it(name: str, value: Any) -> None:
    task = read(**{name: value})
    assert task.id == "abc"
    assert task.raw == {"id": "abc", name: value}
    assert isinstance(task.model, str)
    assert isinstance(task.status, str)
    assert all(isinstance(output, str | dict) for output in task.outputs)
    assert task.error is None or isinstance(task.error, str)
    assert task.code is None or type(task.code) is int
    assert task.url is None
    assert task.created_at is None
    assert task.inference_ms is None or name == "executionTime"


def test_a_task_is_read_as_the_spec_describes_it() -> None:
    """The generated parser follows each change of the spec, so the reader of tasks must agree with it."""
    task = read(
        model="a/c",
        status="completed",
        outputs=["https://e.com/1.png", {"label": "cat"}],
        urls={"get": "https://e.com/api/v3/predictions/abc/result"},
        created_at="2026-01-01T00:00:00Z",
        error="late",
        code=5004,
        timings={"inference": 12},
        executionTime=13,
    )
    parsed = Prediction.from_dict(task.raw)
    assert isinstance(parsed.urls, TaskAddresses)
    assert isinstance(parsed.timings, Durations)
    assert isinstance(parsed.outputs, list)
    outputs = tuple(each.to_dict() if isinstance(each, StructuredOutput) else each for each in parsed.outputs)
    assert (task.id, task.model, task.status, task.outputs) == (parsed.id, parsed.model, parsed.status, outputs)
    assert (task.error, task.code, task.created_at) == (parsed.error, parsed.code, parsed.created_at)
    assert (task.url, task.inference_ms) == (parsed.urls.get, parsed.timings.inference)
    assert (
        read(executionTime=13).inference_ms == Prediction.from_dict({"id": "abc", "executionTime": 13}).execution_time
    )


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-01-01T00:00:00Z", datetime(2026, 1, 1, tzinfo=UTC)),
        ("2026-01-01T00:00:00.123456789Z", datetime(2026, 1, 1, 0, 0, 0, 123456, tzinfo=UTC)),
        ("2026-01-01T02:00:00+02:00", datetime(2026, 1, 1, tzinfo=UTC)),
        ("2026-01-01T00:00:00", datetime(2026, 1, 1, tzinfo=UTC)),
        ("0001-01-01T00:00:00+14:00", None),
        ("9999-12-31T23:59:60Z", None),
        ("yesterday", None),
    ],
)
def test_timestamps_are_in_utc_or_nothing(text: str, moment: datetime | None) -> None:
    task = read(created_at=text)
    assert task.created_at == moment
    assert task.raw["created_at"] == text


@pytest.mark.parametrize(
    ("outputs", "read_as"),
    [
        ("https://e.com/1.png", ("https://e.com/1.png",)),
        ("a cat", ("a cat",)),
        ({"label": "cat"}, ({"label": "cat"},)),
        (["a", 5, None, {"b": 1}, ["c"]], ("a", {"b": 1})),
        ("", ()),
        ({}, ()),
        (None, ()),
        (5, ()),
    ],
)
def test_one_output_in_place_of_a_list_counts(outputs: Any, read_as: tuple[Any, ...]) -> None:
    assert read(status="completed", outputs=outputs).outputs == read_as


def test_older_records_have_the_inference_time_under_another_name() -> None:
    assert read(timings={"inference": 12}).inference_ms == 12
    assert read(executionTime=13).inference_ms == 13


@pytest.mark.parametrize(
    "id", [None, "", "a" * 129, "a/b", "ä", "a b", "..", 5, [], b"abc", Task(id="..", model="", status="created")]
)
def test_an_invalid_task_id_is_refused_before_anything_is_sent(ws: Driven, fake: FakeWaveSpeed, id: Any) -> None:
    for verb in (ws.get, ws.wait):
        with pytest.raises(InvalidInputError, match="A task's id is"):
            verb(id)
    assert fake.requests == []


@pytest.mark.parametrize("data", [{"id": "a/b"}, {"id": ""}, {"id": 5}, {"id": None}, {}, []], ids=repr)
def test_a_response_without_a_usable_id_is_no_task(data: Any) -> None:
    with pytest.raises((ValueError, KeyError, TypeError)):
        task_in(data)
