"""What scripts/engines says about a run, and the programs that it runs. The engines themselves are not used."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from engines import killing, program_for
from verdict import Run

INPUTS = ["a", "b", "c"]


def row(prompt: str, **changed: Any) -> dict[str, Any]:
    return {"prompt": prompt, "task_id": f"t-{prompt}", "status": "completed", "uncertain": False, **changed}


def run(*submitted: str, rows: list[dict[str, Any]] | None = None, **changed: Any) -> Run:
    found = [row(prompt) for prompt in INPUTS] if rows is None else rows
    return Run("Ray", **{"guarded": True, **changed}, inputs=INPUTS, submitted=submitted, rows=found)


def test_a_run_without_a_fault_is_one_line() -> None:
    files = ["t-a-1.jpeg", "t-c-1.jpeg", "t-b-1.jpeg"]
    found = run("c", "a", "b", kills=2, kills_wanted=2, files=files, seconds=4.4)
    assert found.faults() == []
    expected = "3 inputs, 2 workers killed, 3 submissions, 0 doubled, 0 not sent, 0 uncertain, 3 files saved, 4 s"
    assert found.line() == f"Ray, journal: {expected}"


def test_an_input_that_was_not_sent_must_be_reported_as_uncertain() -> None:
    found = [row("a"), row("b"), row("c", uncertain=True, status=None, task_id=None)]
    assert run("a", "b", rows=found).faults() == []
    assert run("a", "b").faults() == ["1 inputs were not sent, and are not reported as uncertain"]


@pytest.mark.parametrize(
    ("found", "fault"),
    [
        (run("a", "b", "c", "a"), "1 submissions were doubled"),
        (run("a", "b", "c", kills=1, kills_wanted=2), "only 1 of 2 workers were killed"),
        (run("a", "b", "c", rows=[row("a"), row("a"), row("b")]), "the rows are not those that were given"),
        (run("a", "b", "c", rows=[row("a"), row("b"), row("c", status="failed")]), "neither completed nor uncertain"),
        (run("a", "b", "c", rows=[row("a"), row("b"), row("c", task_id="t-a")]), "two rows have one task"),
        (run("a", "b", "c", files=["t-a-1.jpeg"]), "the files are not those of the tasks"),
    ],
)
def test_each_kind_of_fault_is_named(found: Run, fault: str) -> None:
    assert any(fault in each for each in found.faults())


def test_the_control_run_must_double_a_submission() -> None:
    assert run("a", "a", guarded=False, rows=[]).faults() == []
    assert "nothing was doubled" in run("a", "b", "c", guarded=False).faults()[0]


@pytest.mark.parametrize("engine", ["ray", "dask"])
def test_the_page_has_a_complete_program_for_each_engine(engine: str) -> None:
    compile(program_for(engine), engine, "exec")


@pytest.fixture
def sleeper() -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        yield process
        process.kill()


def test_a_worker_is_killed_once_enough_submissions_have_come(tmp_path: Path, sleeper: subprocess.Popen[bytes]) -> None:
    counts = iter([0, 5, *[10] * 1000])
    (tmp_path / str(sleeper.pid)).touch()
    with killing(tmp_path, lambda: next(counts), [10, 20]) as killed:
        assert sleeper.wait(30) == -9
    assert killed == [sleeper.pid]
