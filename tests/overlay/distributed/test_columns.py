"""The columns that report the outcome of a row."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from wavespeed_client import ConfigurationError, InvalidInputError, Outcome, SubmissionUncertainError, Task
from wavespeed_client.distributed.columns import GENERATED, joined, outcome_columns, output_of, refuse_clashes, text_of

NOW = datetime(2026, 11, 26, tzinfo=UTC)
TASK = Task(
    "t-1", "a/b", "completed", ("https://example.com/1.png", {"text": "\u00e9"}), inference_ms=7.5, created_at=NOW
)
UNCERTAIN = SubmissionUncertainError("its response was lost", model="a/b", input={}, submitted_at=NOW, task_id="t-2")


def test_an_outcome_becomes_columns() -> None:
    assert outcome_columns(Outcome(0, {}, TASK, None)) == {
        "task_id": "t-1",
        "status": "completed",
        "outputs": ["https://example.com/1.png", '{"text": "\u00e9"}'],
        "error": None,
        "error_type": None,
        "uncertain": False,
        "inference_ms": 7.5,
        "created_at": NOW,
    }


def test_an_uncertain_submission_has_the_id_of_its_task() -> None:
    found = outcome_columns(Outcome(0, {}, None, UNCERTAIN))
    assert found["uncertain"] is True
    assert (found["task_id"], found["status"], found["error_type"]) == ("t-2", None, "SubmissionUncertainError")
    assert found["error"] == str(UNCERTAIN)


@pytest.mark.parametrize("task", [TASK, None])
@pytest.mark.parametrize("error", [None, UNCERTAIN, InvalidInputError("half \ud800")])
def test_every_outcome_has_every_column(task: Any, error: Any) -> None:
    found = outcome_columns(Outcome(0, {}, task, error))
    assert found.keys() == GENERATED.keys()
    assert str(found).encode()


@pytest.mark.parametrize("output", ["text", "{no JSON", '["a"]', {"a": 1}, {"a": {"b": [None]}}, "https://example.com"])
def test_an_output_is_unchanged_when_its_column_is_read_back(output: Any) -> None:
    assert output_of(text_of(output)) == output


def test_a_clash_with_a_column_of_ours_is_refused_and_a_prefix_is_suggested() -> None:
    with pytest.raises(ConfigurationError, match=r"a column 'error' already.*prefix='ws_'"):
        refuse_clashes(["id", "error"], GENERATED, "")
    refuse_clashes(["id", "error"], GENERATED, "ws_")
    with pytest.raises(ConfigurationError, match=r"'ws_status' already.*prefix='ws_ws_'"):
        refuse_clashes(["error", "ws_status"], GENERATED, "ws_")


def test_joined_rows_keep_their_own_columns() -> None:
    found = joined([{"id": 1}, None], [{"error": None}, {"error": "No row."}], "ws_")
    assert found == [{"id": 1, "ws_error": None}, {"ws_error": "No row."}]
