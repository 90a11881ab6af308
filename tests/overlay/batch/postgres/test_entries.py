"""Conversion of rows to entries and of notes to rows, and the keys of inputs."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from wavespeed_client import InvalidInputError
from wavespeed_client.batch.journal import Entry, Item, Note, digest_of
from wavespeed_client.batch.postgres.entries import entry_of, result_of
from wavespeed_client.batch.postgres.keys import Numbered
from wavespeed_client.batch.postgres.statements import Result, Row

pytestmark = pytest.mark.promise("database-resume")

KEY = b"k"
NOW = datetime(2026, 11, 26, 10, tzinfo=UTC)
RAW = {"id": "task-1", "status": "completed", "outputs": ["x"]}


def entry(*row: Any) -> Entry:
    found = entry_of(KEY, Row(*row), "a/b", 240.0, NOW)
    assert isinstance(found, Entry)
    return found


@pytest.mark.parametrize(
    ("age", "look_again"),
    [(0.0, 0.1), (0.7, 0.7), (100.0, 5.0), (238.0, 2.0), (239.99, pytest.approx(0.01)), (240.0, None), (1e6, None)],
)
def test_a_claim_of_another_run_is_looked_up_again_until_no_response_can_come(age: float, look_again: Any) -> None:
    found = entry("submitting", 3, age, age)
    assert (found.event, found.attempt, found.look_again) == ("submitting", 3, look_again)


def test_times_are_by_this_machines_clock_whatever_the_databases_clock_says() -> None:
    assert entry("uncertain", 1, 5.0, 3600.0).at == NOW - timedelta(hours=1)
    assert entry("planned", 0, 5.0).at == NOW - timedelta(seconds=5)


@pytest.mark.parametrize("state", ["submitted", "finished", "failed"])
def test_a_row_with_a_task_becomes_an_entry_with_that_task(state: str) -> None:
    found = entry(state, 1, 0.0, 0.0, json.dumps(RAW))
    assert found.task is not None
    assert (found.event, found.task.id, found.task.model, found.task.raw) == (state, "task-1", "a/b", RAW)


def test_an_uncertain_row_has_the_id_of_the_task_that_it_probably_started() -> None:
    assert entry("uncertain", 1, 0.0, 0.0, '{"id": "task-1"}').task_id == "task-1"
    assert entry("uncertain", 1, 0.0, 0.0).task_id is None


@pytest.mark.parametrize("state", ["planned", "refused"])
def test_an_input_that_is_paid_again_does_not_keep_its_earlier_task(state: str) -> None:
    assert entry(state, 1, 0.0, 0.0, json.dumps(RAW)).task is None


@pytest.mark.parametrize("task", ["", "[]", "{}", "null", '{"id": "a b"}', "[" * 100_000])
def test_a_broken_row_is_named(task: str) -> None:
    found = entry_of(KEY, Row("submitted", 1, 0.0, 0.0, task), "a/b", 240.0, NOW)
    assert isinstance(found, InvalidInputError)
    assert "The row of wavespeed_input with the key 6b is broken" in str(found)


def test_notes_are_written_for_their_attempt() -> None:
    known = Entry(KEY, "submitting", NOW, attempt=7)
    assert result_of(Note(known, "submitted", task=RAW)) == Result(7, "submitted", "task-1", json.dumps(RAW))
    assert result_of(Note(known, "refused", error="No.")) == Result(7, "refused", error="No.")
    named = result_of(Note(known, "uncertain", error="Lost.", task_id="task-1"))
    assert named == Result(7, "uncertain", None, '{"id": "task-1"}', "Lost.")


def item(number: int) -> Item:
    return Item(digest_of("a/b", {"n": number}), "a/b", b'{"n":%d}' % number)


def test_equal_inputs_have_a_key_each() -> None:
    numbered = Numbered()
    found = [numbered.key(item(number)) for number in (1, 2, 1, 1, 2)]
    assert len(set(found)) == 5
    assert Numbered().key(item(1)) == found[0]
    again = Numbered()
    assert {again.key(item(number)) for number in (2, 1, 1, 2, 1)} == set(found)
