"""Lists of tasks, and the search for the task of an uncertain submission."""

import json
import pickle
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.conftest import Connect, Driven
from wavespeed_client import (
    InvalidInputError,
    NotFoundError,
    SubmissionUncertainError,
    UnexpectedResponseError,
    WaveSpeed,
)
from wavespeed_client.testing import FakeWaveSpeed

pytestmark = pytest.mark.promise("find", "list")

FLUX = "wavespeed-ai/flux-dev"


def page(*ids: str) -> bytes:
    return json.dumps({"code": 200, "data": {"page": 1, "items": [{"id": id} for id in ids]}}).encode()


def bodies(fake: FakeWaveSpeed) -> list[dict[str, Any]]:
    return [json.loads(request.body) for request in fake.requests if request.target == "/api/v3/predictions"]


def test_pages_are_read_until_a_short_one_and_each_task_comes_once(ws: Driven, fake: FakeWaveSpeed) -> None:
    ids = [f"task-{number}" for number in range(250)]
    fake.raw(200, page(*ids[:100]), on="list")
    fake.raw(200, page(*ids[97:197]), on="list")  # three new tasks have moved the others to later places
    fake.raw(200, page(*ids[197:]), on="list")
    assert [task.id for task in ws.tasks()] == ids
    assert bodies(fake) == [{"page": number, "page_size": 100} for number in (1, 2, 3)]


@pytest.mark.parametrize("last", [page(), b'{"data": {"items": null}}'])
def test_a_full_page_is_followed_by_an_empty_one(ws: Driven, fake: FakeWaveSpeed, last: bytes) -> None:
    fake.raw(200, page(*map(str, range(100))), on="list")
    fake.raw(200, last, on="list")
    assert len(ws.tasks()) == 100
    assert len(fake.requests) == 2


def test_pages_are_requested_when_they_are_needed(fake: FakeWaveSpeed) -> None:
    fake.raw(200, page(*map(str, range(100))), times=5, on="list")
    with WaveSpeed(fake.api_key, base_url=fake.url) as ws:
        tasks = ws.tasks()
        assert fake.requests == []
        assert next(tasks).id == "0"
    assert len(fake.requests) == 1


def test_filters_are_sent_and_obeyed(ws: Driven, fake: FakeWaveSpeed) -> None:
    fake.script("a/b", "created", "failed")
    first = ws.get(ws.submit("a/b", {"prompt": "one"}))
    ws.submit("a/c", {"prompt": "two"})
    assert [task.id for task in ws.tasks(model="a/b", status="failed")] == [first.id]
    assert ws.tasks(model="a/b", status="completed") == []
    after = datetime(2026, 1, 1, tzinfo=UTC)
    assert len(ws.tasks(created_after=after)) == 2
    assert ws.tasks(created_before=after) == []
    sent = bodies(fake)
    assert sent[0] == {"page": 1, "page_size": 100, "model": "a/b", "status": "failed"}
    assert sent[2]["created_after"] == "2026-01-01T00:00:00+00:00"


@pytest.mark.parametrize(
    ("filters", "reason"),
    [
        ({"status": "done"}, "status must be one of cancelled, completed, created"),
        ({"status": ["failed"]}, "status must be one of"),
        ({"model": "flux"}, "A model id is"),
        ({"created_after": datetime(2026, 1, 1)}, "created_after has no time zone"),
        ({"created_before": "2026-01-01"}, "created_before must be a datetime"),
    ],
)
def test_invalid_filters_are_refused_at_once(
    connect: Connect, fake: FakeWaveSpeed, filters: dict[str, Any], reason: str
) -> None:
    client = connect(fake.api_key, base_url=fake.url).client
    with pytest.raises(InvalidInputError, match=reason):
        client.tasks(**filters)
    assert fake.requests == []


@pytest.mark.parametrize(
    "data", ["[]", "{}", '{"page": 1}', '{"items": [5]}', '{"items": [{}]}', '{"items": "x"}', '{"items": {}}', "7"]
)
def test_a_list_outside_the_contract_is_not_taken_for_an_empty_one(ws: Driven, fake: FakeWaveSpeed, data: str) -> None:
    fake.raw(200, f'{{"data": {data}}}'.encode(), on="list")
    with pytest.raises(UnexpectedResponseError):
        ws.tasks()


def test_a_refused_list_raises_its_class(ws: Driven, fake: FakeWaveSpeed) -> None:
    fake.refuse(404, on="list")
    with pytest.raises(NotFoundError):
        ws.tasks()


def lost(ws: Driven, fake: FakeWaveSpeed, given: dict[str, Any]) -> SubmissionUncertainError:
    fake.raw(502, b"<html>", "text/html")
    with pytest.raises(SubmissionUncertainError, match=r"find_submissions\(error\)") as caught:
        ws.submit(FLUX, given)
    return caught.value


def test_an_uncertain_submission_is_found_among_the_recent_tasks(ws: Driven, fake: FakeWaveSpeed) -> None:
    given = {"prompt": "a cat", "seed": 7}
    error = pickle.loads(pickle.dumps(lost(ws, fake, given)))
    assert ws.find_submissions(error) == []
    found = ws.submit(FLUX, {**given, "guidance": 3.5})  # the service may list it with an added default
    ws.submit(FLUX, {"prompt": "a cat", "seed": 8})
    ws.submit(FLUX, {"prompt": "a cat"})
    ws.submit("wavespeed-ai/z-image/turbo", given)
    assert [task.id for task in ws.find_submissions(error)] == [found.id]
    assert bodies(fake)[-1]["model"] == FLUX
    since = datetime.fromisoformat(bodies(fake)[-1]["created_after"])
    assert timedelta(0) <= error.submitted_at - since < timedelta(minutes=5)


def test_a_task_under_another_name_of_the_model_is_found_by_its_input(ws: Driven, fake: FakeWaveSpeed) -> None:
    error = lost(ws, fake, {"prompt": "a cat"})
    ws.submit("canonical/name", {"prompt": "a dog"})
    found = ws.submit("canonical/name", {"prompt": "a cat"})
    assert [task.id for task in ws.find_submissions(error)] == [found.id]
    assert [query.get("model") for query in bodies(fake)] == [None, FLUX, None]
    assert [query.get("include_inputs") for query in bodies(fake)] == [None, True, True]


def test_a_task_that_is_listed_without_its_input_is_found_too(ws: Driven, fake: FakeWaveSpeed) -> None:
    error = lost(ws, fake, {"prompt": "a cat"})
    fake.raw(200, page("bare"), times=2, on="list")
    assert [task.id for task in ws.find_submissions(error)] == ["bare"]


def test_a_service_that_refuses_to_list_inputs_gets_a_request_without_them(ws: Driven, fake: FakeWaveSpeed) -> None:
    error = lost(ws, fake, {"prompt": "a cat"})
    found = ws.submit(FLUX, {"prompt": "another"})
    fake.raw(200, page(), on="list")
    fake.refuse(400, on="list")
    assert [task.id for task in ws.find_submissions(error)] == [found.id]
    assert [query.get("include_inputs") for query in bodies(fake)] == [None, True, None]


def test_the_task_that_an_error_names_is_looked_at_first(ws: Driven, fake: FakeWaveSpeed) -> None:
    task = ws.submit(FLUX, {"prompt": "a cat"})
    error = evolved(lost(ws, fake, {"prompt": "a cat"}), task.id)
    assert [found.id for found in ws.find_submissions(error)] == [task.id]
    assert bodies(fake) == []
    assert [found.id for found in ws.find_submissions(evolved(error, "never-was"))] == [task.id]


def evolved(error: SubmissionUncertainError, task_id: str) -> SubmissionUncertainError:
    error.task_id = task_id
    return error


@pytest.mark.parametrize("minutes", [-90, -2, 2, 90])
def test_a_submission_is_looked_for_by_the_services_clock(
    ws: Driven, fake: FakeWaveSpeed, monkeypatch: pytest.MonkeyPatch, minutes: int
) -> None:
    """This holds whether this machine's clock is ahead or behind."""
    off = timedelta(minutes=minutes)

    class Clock(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> datetime:
            return datetime.now(tz) + off

    monkeypatch.setattr("wavespeed_client.parsing.datetime", Clock)
    error = lost(ws, fake, {"prompt": "a cat"})
    error.submitted_at += off
    found = ws.submit(FLUX, {"prompt": "a cat"})
    assert [task.id for task in ws.find_submissions(error)] == [found.id]


def test_a_service_that_repeats_the_same_page_ends_the_listing(ws: Driven, fake: FakeWaveSpeed) -> None:
    fake.raw(200, page(*map(str, range(100))), times=5, on="list")
    assert len(ws.tasks()) == 100
    assert len(fake.requests) == 2
