"""The arithmetic of scripts/bench: ratios, tables, verdicts, the simulated service. What it measures is not tested."""

import json
import random

import pytest

from bars import BARS, Bar
from python_server import BODY, body_of
from ratios import Ratio, paired, ratio
from report import Section, table
from simulation import CASES, COUNTED, ROUND_TRIP, Sample, official, ours, polling, simulate
from wavespeed_client.durations import Durations


def test_ratios_compare_rounds_so_that_a_slow_moment_counts_for_both() -> None:
    quiet, busy = [1.0, 1.0, 1.0, 1.0], [2.0, 6.0, 2.0, 2.0]
    assert ratio(busy, quiet) == Ratio(2.0, 2.0, 3.0)
    slowed = [value * factor for value, factor in zip(busy, (1, 50, 3, 1), strict=True)]
    assert ratio(slowed, [1.0, 50.0, 3.0, 1.0]) == ratio(busy, quiet)
    assert paired({"a": busy, "b": quiet}, "b") == {"a": Ratio(2.0, 2.0, 3.0), "b": Ratio(1.0, 1.0, 1.0)}


def test_ratios_of_one_round_or_of_none() -> None:
    assert ratio([3.0], [2.0]) == Ratio(1.5, 1.5, 1.5)
    assert str(ratio([3.0], [2.0])) == "1.50 (1.50-1.50)"
    assert paired({"a": [1.0]}, "missing") == {}
    with pytest.raises(ValueError, match="zip"):
        ratio([1.0, 2.0], [1.0])


def test_a_table_is_aligned() -> None:
    assert table(("client", "CPU"), [("a", "1.00"), ("longer name", "12")]) == "\n".join(
        [
            "| client      |  CPU |",
            "| ----------- | ---: |",
            "| a           | 1.00 |",
            "| longer name |   12 |",
        ]
    )
    shown = str(Section("Title", "Note.", ("client", "CPU"), [("a", "1")]))
    assert shown.startswith("## Title\n\nNote.\n\n| client | CPU |\n")


def test_a_bar_is_reached_not_reached_or_not_measured() -> None:
    bar = Bar("submit", 1.25, "a submission")
    assert bar.verdict({"submit": 1.25}) == "reached       a submission: 1.25x (at most 1.25x)"
    assert bar.verdict({"submit": 1.26}) == "NOT REACHED   a submission: 1.26x (at most 1.25x)"
    assert bar.verdict({}) == "not measured  a submission"
    beside = Bar("submit", 1.25, "a submission", beside=("bare", "missing"))
    assert beside.verdict({"submit": 1, "bare": 0.5}) == "reached       a submission: 1x (at most 1.25x); bare: 0.5x"


@pytest.mark.parametrize(
    ("seconds", "questions", "known_after"),
    [(0.01, 1, 0.1), (0.05, 1, 0.1), (0.5, 2, 1.2), (1.15, 2, 1.2), (1.2, 3, 2.3), (10.0, 11, 11.1)],
)
def test_the_official_client_asks_at_once_and_then_every_second(
    seconds: float, questions: int, known_after: float
) -> None:
    cost = official(Sample(seconds, seconds))
    assert cost.questions == questions
    assert cost.lateness == pytest.approx(known_after - seconds)


def test_a_simulated_wait_is_as_late_as_its_last_question() -> None:
    memory, rng = Durations(), random.Random(1)
    costs = [ours(Sample(20.0, 20.0), memory, rng) for _ in range(10)]
    assert all(cost.lateness >= ROUND_TRIP / 2 for cost in costs)
    assert costs[-1].questions < costs[0].questions / 1.5
    failed = ours(Sample(5.0, 20.0, completes=False), memory, rng)
    assert failed.lateness < 5


@pytest.mark.parametrize("case", [case for case in CASES if case.judged], ids=lambda case: case.name)
def test_a_known_model_takes_fewer_questions_than_the_official_client_and_is_not_known_later(case: object) -> None:
    theirs, _, learnt = simulate(case, models=40)
    assert learnt.questions < theirs.questions
    assert learnt.lateness <= theirs.lateness


def test_a_model_whose_tasks_differ_is_not_waited_for_in_a_worse_way() -> None:
    """What a question and a second are worth to each other is what the schedule takes them for."""
    for case in CASES:
        _, blind, learnt = simulate(case, models=10)
        assert learnt.questions < 1.05 * blind.questions, case.name
        assert learnt.lateness + 0.04 * learnt.questions < 1.05 * (blind.lateness + 0.04 * blind.questions), case.name


def test_the_simulation_is_the_same_each_time() -> None:
    assert simulate(CASES[0], models=3) == simulate(CASES[0], models=3)
    assert simulate(CASES[0], models=3) != simulate(CASES[0], models=3, seed=8)


def test_what_is_found_is_what_bars_ask_for() -> None:
    section = polling(models=2)
    assert len(section.rows) == len(CASES)
    assert f"{COUNTED} tasks" in section.note
    assert section.findings.keys() <= {bar.finding for bar in BARS}


def test_the_server_answers_every_task_in_as_many_bytes() -> None:
    created = body_of(b"POST /api/v3/wavespeed-ai/takes-60000 HTTP/1.1\r\nHost: a")
    task = json.loads(created)["data"]
    assert (len(created), task["status"]) == (BODY, "created")
    running = body_of(f"GET /api/v3/predictions/{task['id']}/result HTTP/1.1".encode())
    assert (len(running), json.loads(running)["data"]["status"]) == (BODY, "processing")
    task = json.loads(body_of(b"POST /api/v3/wavespeed-ai/flux-dev HTTP/1.1\r\nHost: a"))["data"]
    ended = body_of(f"GET /api/v3/predictions/{task['id']}/result HTTP/1.1".encode())
    assert (len(ended), json.loads(ended)["data"]["status"]) == (BODY, "completed")
    counts = [json.loads(body_of(b"GET /count HTTP/1.1"))["count"] for _ in range(2)]
    assert counts == [counts[0], counts[0] + 1]
