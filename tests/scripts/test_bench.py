"""The arithmetic of scripts/bench: ratios, tables, verdicts, the simulated service. What it measures is not tested."""

import importlib.util
import json
import random

import pytest

from bars import BARS, Bar
from candidates import PathWithoutSniffio
from python_server import BODY, body_of
from ratios import Ratio, paired, ratio
from report import Section, table
from simulation import (
    CASES,
    COUNTED,
    ROUND_TRIP,
    VIDEO,
    Sample,
    connections,
    new_connections,
    official,
    ours,
    polling,
    simulate,
)
from submissions import FINDINGS
from wavespeed_client.waiting.durations import Durations
from workers import Samples


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
    stretched = Bar("submit", 1.25, "a submission", stretch=1.0)
    assert stretched.verdict({"submit": 1.0}) == "surpassed     a submission: 1x (at most 1.25x, better 1x)"
    assert stretched.verdict({"submit": 1.1}) == "reached       a submission: 1.1x (at most 1.25x, better 1x)"
    assert stretched.verdict({"submit": 1.3}) == "NOT REACHED   a submission: 1.3x (at most 1.25x, better 1x)"


def test_a_stretch_is_more_than_its_bar_asks_for() -> None:
    assert all(bar.stretch is None or bar.stretch < bar.most for bar in BARS)


def test_sniffio_is_looked_for_everywhere_and_not_found() -> None:
    assert importlib.util.find_spec("sniffio") is not None
    assert PathWithoutSniffio.find_spec("sniffio") is None
    found, expected = PathWithoutSniffio.find_spec("httpx"), importlib.util.find_spec("httpx")
    assert found is not None
    assert expected is not None
    assert found.origin == expected.origin


def test_async_submissions_are_judged_by_httpx_without_sniffio() -> None:
    cpu = {"httpx without sniffio": [4.0], "httpx": [3.0], "ours": [2.0], "ours, aiohttp": [1.0]}
    alone = FINDINGS[1](Samples(cpu, cpu, {}, {}))
    assert (alone["async submit"], alone["async submit, aiohttp"]) == (0.5, 0.25)
    assert FINDINGS[1](Samples({"ours": [2.0]}, {}, {}, {})) == {}


def test_a_thousand_submissions_are_judged_by_the_better_of_the_bare_clients() -> None:
    cpu = {"httpx": [20.0], "httpx, unlimited": [10.0], "ours": [2.0], "ours, aiohttp": [1.0]}
    many = FINDINGS[1000](Samples(cpu, cpu, {"ours": 3}, {}))
    assert many == {
        "1000 under way, ours": 0.2,
        "1000 under way, ours, errors": 3,
        "1000 under way, ours, aiohttp": 0.1,
        "1000 under way, ours, aiohttp, errors": 0,
    }
    assert many.keys() <= {bar.finding for bar in BARS}
    assert FINDINGS[1000](Samples({"ours": [2.0]}, {}, {}, {})) == {}


@pytest.mark.parametrize(
    ("seconds", "questions", "known_after"),
    [(0.01, 1, 0.1), (0.05, 1, 0.1), (0.5, 2, 1.2), (1.15, 2, 1.2), (1.2, 3, 2.3), (10.0, 11, 11.1)],
)
def test_the_official_client_asks_at_once_and_then_every_second(
    seconds: float, questions: int, known_after: float
) -> None:
    cost = official(Sample(seconds, seconds))
    assert cost.questions == cost.connections == questions
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


def test_a_connection_that_idled_for_too_long_is_not_used() -> None:
    assert new_connections([], 5) == 0
    assert new_connections([5.0, 5.1, 20.0, 20.1], 5) == 3
    assert new_connections([5.0, 5.1, 20.0, 20.1], 20) == 1


def test_a_wait_connects_anew_less_often_than_it_asks() -> None:
    memory, rng = Durations(), random.Random(1)
    short = ours(Sample(3.0, 3.0), Durations(), rng)
    assert (short.connections, short.with_httpx) == (0, 0)
    known = [ours(Sample(600.0, 600.0), memory, rng) for _ in range(10)][-1]
    assert 0 < known.connections < known.with_httpx < known.questions


def test_the_simulation_is_the_same_each_time() -> None:
    assert simulate(CASES[0], models=3) == simulate(CASES[0], models=3)
    assert simulate(CASES[0], models=3) != simulate(CASES[0], models=3, seed=8)


def test_what_is_found_is_what_bars_ask_for() -> None:
    section = polling(models=2)
    assert len(section.rows) == len(CASES)
    assert f"{COUNTED} tasks" in section.note
    assert section.findings.keys() <= {bar.finding for bar in BARS}


def test_new_connections_are_reported_for_what_is_judged() -> None:
    section = connections(models=2)
    assert [row[0] for row in section.rows] == [case.name for case in CASES if case.judged]
    _, blind, learnt = simulate(VIDEO, models=2)
    assert section.rows[-1][1:] == tuple(
        f"{count:.2f}" for count in (blind.connections, blind.with_httpx, learnt.connections, learnt.with_httpx)
    )
    assert section.findings == {"new connections": learnt.connections, "idle for 5 s at most": learnt.with_httpx}


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
