"""The journal of a run: what is written and when, and what the next run does with it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.overlay.batch.journals import HEADER, MODEL, events, lines
from tests.servers.in_process import Attach, Service, refusal, tagged
from wavespeed_client import (
    TaskFailedError,
    TaskTimeoutError,
)

pytestmark = pytest.mark.promise("batch-resume", "journal-first", "batch-end")


def test_a_finished_run_is_written_line_by_line(attach: Attach, service: Service, path: Path) -> None:
    attach().run_many(MODEL, tagged(5), journal=path)
    assert path.read_bytes().startswith(HEADER)
    assert events(path) == {number: ["planned", "submitting", "submitted", "finished"] for number in range(1, 6)}
    planned = [line for line in lines(path)[1:] if line["event"] == "planned"]
    planned.sort(key=lambda line: line["input"]["tag"])
    assert [(line["model"], line["input"]) for line in planned] == [(MODEL, given) for given in tagged(5)]
    finished = [line["task"] for line in lines(path)[1:] if line["event"] == "finished"]
    assert all(task["outputs"] == [f"https://example.com/{task['id']}"] for task in finished)


def test_a_finished_input_is_handed_out_again_without_a_request(attach: Attach, service: Service, path: Path) -> None:
    first = attach().run_many(MODEL, tagged(20), journal=path)
    polled = service.polled.copy()
    reported: list[Any] = []
    second = attach().run_many(MODEL, reversed(tagged(20)), journal=str(path), on_progress=reported.append)
    assert len(service.submitted) == 20
    assert service.polled == polled
    assert {outcome.input["tag"]: outcome.task for outcome in second} == {
        outcome.input["tag"]: outcome.task for outcome in first
    }
    assert all(outcome.index == 19 - int(outcome.input["tag"][1:]) for outcome in second)
    assert reported[-1].done == 20
    assert set(events(path)[1]) == {"planned", "submitting", "submitted", "finished"}


def test_inputs_may_be_added_and_equal_ones_are_counted(attach: Attach, service: Service, path: Path) -> None:
    attach().run_many(MODEL, [{"tag": "a"}, {"tag": "b"}, {"tag": "a"}], journal=path)
    outcomes = attach().run_many(MODEL, [{"tag": "a"}] * 3 + [{"tag": "c"}], journal=path)
    assert service.accepted == {"a": 3, "b": 1, "c": 1}
    assert len({outcome.task.id for outcome in outcomes}) == 4


def test_inputs_are_equal_if_they_are_sent_as_the_same_json_to_the_same_model(
    attach: Attach, service: Service, path: Path
) -> None:
    attach().run_many(MODEL, [{"tag": 1, "loras": [{"path": "x", "scale": 1.5}], "size": "é"}], journal=path)
    same: Any = {"size": "é", "loras": ({"scale": 1.5, "path": "x"},), "tag": 1}
    attach().run_many(MODEL, [same], journal=path)
    assert service.accepted == {1: 1}
    attach().run_many(MODEL, [{"tag": 1, "loras": [{"path": "x", "scale": 1}], "size": "é"}], journal=path)
    attach().run_many("wavespeed-ai/z-image/turbo", [same], journal=path)
    assert service.accepted == {1: 3}


def test_names_that_are_no_strings_are_the_same_in_the_next_run(attach: Attach, service: Service, path: Path) -> None:
    odd: Any = {"tag": 1, "map": {2: "b", 10: "a"}}
    attach().run_many(MODEL, [odd], journal=path)
    attach().run_many(MODEL, [odd], journal=path)
    assert service.accepted == {1: 1}


def test_a_submitted_task_is_waited_for_by_its_id(attach: Attach, service: Service, path: Path) -> None:
    service.polls = 1_000
    first = attach().run_many(MODEL, tagged(4), journal=path, timeout=10)
    assert [type(outcome.error) for outcome in first] == [TaskTimeoutError] * 4
    service.polls = 2
    second = attach().run_many(MODEL, tagged(4), journal=path, max_in_flight=1)
    assert {outcome.task.id for outcome in second} == {outcome.task.id for outcome in first}
    assert all(outcome.error is None for outcome in second)
    assert len(service.submitted) == 4


def test_a_failed_task_is_handed_out_as_it_is(attach: Attach, service: Service, path: Path) -> None:
    failed = {"code": 200, "data": {"id": "t0-0", "status": "failed", "error": "Not this.", "code": 1200}}
    service.poll = lambda task, polls: (200, dict(failed))
    for _ in range(2):
        (outcome,) = attach().run_many(MODEL, tagged(1), journal=path)
        assert isinstance(outcome.error, TaskFailedError)
        assert (outcome.task.status, outcome.task.error, outcome.task.code) == ("failed", "Not this.", 1200)
    assert len(service.submitted) == 1


@pytest.mark.parametrize("status", [400, 401, 403, 429])
def test_a_refused_input_is_submitted_by_the_next_run(
    attach: Attach, service: Service, path: Path, status: int
) -> None:
    service.submission = lambda number, given: refusal(status)
    (refused,) = attach().run_many(MODEL, tagged(1), journal=path, timeout=0)
    assert refused.error.status_code == status
    service.submission = lambda number, given: None
    (outcome,) = attach().run_many(MODEL, tagged(1), journal=path)
    assert outcome.error is None
    assert service.accepted == {"t0": 1}
    assert events(path) == {1: ["planned", "submitting", "refused", "submitting", "submitted", "finished"]}


def test_the_task_of_an_uncertain_submission_is_remembered(attach: Attach, service: Service, path: Path) -> None:
    named = {"code": 500, "message": "No.", "data": {"id": "task-9"}}
    service.submission = lambda number, given: (500, dict(named))
    for _ in range(2):
        (outcome,) = attach().run_many(MODEL, tagged(1), journal=path)
        assert outcome.error.task_id == "task-9"
    assert service.submitted == ["t0"]


def test_an_uncertain_submission_stays_uncertain(attach: Attach, service: Service, path: Path) -> None:
    service.submission = lambda number, given: (502, {})
    (first,) = attach().run_many(MODEL, tagged(1), journal=path)
    service.submission = lambda number, given: None
    for _ in range(2):
        (again,) = attach().run_many(MODEL, tagged(1), journal=path)
        assert again.uncertain
        assert (again.error.model, again.error.input) == (MODEL, {"tag": "t0"})
        assert again.error.submitted_at == first.error.submitted_at
    assert service.submitted == ["t0"]
