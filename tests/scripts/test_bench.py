"""The arithmetic of scripts/bench: figures, verdicts, the simulation, its server. What it measures is not tested."""

import importlib.util
import json
import math
import random
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from benchmarks.__main__ import RESULTS
from benchmarks.bars import BARS, Bar, table
from benchmarks.candidates import MODEL, PathWithoutSniffio
from benchmarks.figures import Figure, ratios
from benchmarks.server import Server, body_of, serving
from benchmarks.simulation import (
    MEDIANS,
    ROUND_TRIP,
    Model,
    Population,
    Sample,
    log_uniform,
    official,
    ours,
    polling,
    simulate,
    steady,
)
from benchmarks.workers import FailedError, Load, compare, measured, working
from tests.conftest import ROOT
from wavespeed_client.waiting.durations import Durations

# Figures


def test_ratios_compare_rounds_so_that_a_slow_moment_counts_for_both() -> None:
    assert ratios([2.0, 60.0, 2.0], [1.0, 10.0, 1.0]) == [2.0, 6.0, 2.0]
    with pytest.raises(ValueError, match="zip"):
        ratios([1.0, 2.0], [1.0])


@pytest.mark.parametrize(
    ("values", "figure"),
    [
        ([3.0], Figure(3.0, 3.0, 3.0)),
        ([1.0, 2.0, 9.0], Figure(2.0, 1.0, 9.0)),
        ([5.0, 1.0, 2.0, 9.0, 3.0], Figure(3.0, 1.0, 9.0)),
        (list(map(float, range(1, 9))), Figure(4.5, 2.0, 7.0)),
        (list(map(float, range(1, 22))), Figure(11.0, 7.0, 15.0)),
    ],
)
def test_a_figure_is_a_median_with_its_interval(values: list[float], figure: Figure) -> None:
    assert Figure.of(*values) == figure


def test_the_interval_holds_the_true_median_in_nine_of_ten_cases() -> None:
    rng = random.Random(3)
    for count in (5, 8, 21):
        figures = [Figure.of(*(rng.lognormvariate(0, 1) for _ in range(count))) for _ in range(2000)]
        assert 0.89 < sum(figure.low <= 1 <= figure.high for figure in figures) / 2000 < 0.97


def test_candidates_are_compared_round_by_round_within_a_block_of_processes() -> None:
    samples = {"ours": [[2.0, 40.0, 2.0], [3.0, 3.0, 30.0]], "theirs": [[1.0, 10.0, 1.0], [1.0, 1.0, 1.0]]}
    assert compare(samples, "ours", "theirs") == Figure(2.5, 2.0, 3.0)
    assert str(compare(samples, "ours", "theirs")) == "2.5 (2 to 3)"
    assert str(Figure.of(2.0)) == "2"


# Bars


def test_a_bar_is_reached_surpassed_not_reached_or_not_measured() -> None:
    bar, stretched = Bar("submit", "a submission", 1.25), Bar("submit", "a submission", 1.25, 1.0)
    assert [bar.grade(Figure.of(value)) for value in (1.25, 1.26)] == ["reached", "NOT REACHED"]
    assert [stretched.grade(Figure.of(value)) for value in (1.0, 1.1, 1.3)] == ["surpassed", "reached", "NOT REACHED"]
    assert bar.grade(None) == "not measured"
    assert Bar("submit", "a submission").grade(Figure.of(1.0)) == ""


def test_a_row_has_figure_limits_and_verdict() -> None:
    bar = Bar("memory", "memory of a task", 10, 5, unit="KB")
    assert bar.row({"memory": Figure(7.0, 6.0, 8.0)}) == ("memory of a task, KB", "7 (6 to 8)", "10", "5", "reached")
    assert bar.row({}) == ("memory of a task, KB", "", "10", "5", "not measured")


def test_the_table_has_a_row_for_each_bar_and_its_columns_are_aligned() -> None:
    lines = table({"submit": Figure.of(0.9)}).splitlines()
    assert len(lines) == len(BARS) + 2
    assert len({tuple(place for place, char in enumerate(line) if char == "|") for line in lines}) == 1
    assert lines[2].split("|")[2].strip() == "0.9"


def test_bars_have_unique_names_and_a_stretch_is_stricter() -> None:
    assert len({bar.name for bar in BARS}) == len({bar.text for bar in BARS}) == len(BARS)
    assert all(bar.most is not None and bar.stretch < bar.most for bar in BARS if bar.stretch is not None)


def test_the_committed_results_have_the_rows_of_today() -> None:
    rows = [line.split("|")[1].strip() for line in RESULTS.read_text("utf-8").splitlines() if line.startswith("| ")]
    assert rows == [line.split("|")[1].strip() for line in table({}).splitlines()]


# Workers and server


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(ROOT / "scripts"))
        with serving(tmp_path_factory.mktemp("server")) as server:
            yield server


def test_each_turn_makes_the_calls_of_its_load(server: Server) -> None:
    before = server.requests()
    samples = measured(("ours", "httpx"), server.tls, server, Load(blocks=2, rounds=3, calls=4))
    assert {name: [len(block) for block in blocks] for name, blocks in samples.items()} == {
        "ours": [3, 3],
        "httpx": [3, 3],
    }
    assert server.requests() - before == 1 + 2 * 2 * (20 + 3 * 4)


def test_concurrent_calls_are_measured(server: Server) -> None:
    samples = measured(("async ours, aiohttp",), server.delayed, server, Load(1, 1, calls=100, concurrency=100))
    assert samples["async ours, aiohttp"][0][0] > 0


def test_a_batch_makes_two_requests_of_an_input_and_reports_what_it_used(server: Server, tmp_path: Path) -> None:
    before = server.requests()
    with working("batch", server.delayed, server) as measure:
        found = measure(inputs=20, max_in_flight=10, journal=str(tmp_path / "journal.jsonl"))
    assert server.requests() - before == 1 + 2 * 20
    assert found.keys() == {"cpu", "wall", "peak", "growth", "held"}
    assert len((tmp_path / "journal.jsonl").read_text("utf-8").splitlines()) >= 20


def test_a_failed_call_is_reported(server: Server, capfd: pytest.CaptureFixture[str]) -> None:
    with working("httpx", "http://127.0.0.1:1", server) as measure, pytest.raises(FailedError, match="httpx ended"):
        measure(calls=1)
    assert "ConnectError" in capfd.readouterr().err


def test_the_server_says_when_a_task_has_completed() -> None:
    created = json.loads(body_of(b"POST /api/v3/wavespeed-ai/takes-60000 HTTP/1.1\r\nHost: a"))["data"]
    assert created["status"] == "created"
    running = json.loads(body_of(f"GET /api/v3/predictions/{created['id']}/result HTTP/1.1".encode()))["data"]
    assert (running["id"], running["status"], running["outputs"]) == (created["id"], "processing", [])
    created = json.loads(body_of(f"POST /api/v3/{MODEL} HTTP/1.1\r\nHost: a".encode()))["data"]
    ended = json.loads(body_of(f"GET /api/v3/predictions/{created['id']}/result HTTP/1.1".encode()))["data"]
    assert (ended["status"], len(ended["outputs"])) == ("completed", 1)
    counts = [json.loads(body_of(b"GET /count HTTP/1.1"))["count"] for _ in range(2)]
    assert counts == [counts[0], counts[0] + 1]


def test_sniffio_is_looked_for_everywhere_and_not_found() -> None:
    assert importlib.util.find_spec("sniffio") is not None
    assert PathWithoutSniffio.find_spec("sniffio") is None
    found, expected = PathWithoutSniffio.find_spec("httpx"), importlib.util.find_spec("httpx")
    assert found is not None
    assert expected is not None
    assert found.origin == expected.origin


# Polling


def video(quantile: float) -> float:
    return MEDIANS["videos"](quantile)


def failing(sample: Sample, _: int, rng: random.Random) -> Sample:
    if rng.random() < 0.05:
        return Sample(sample.seconds * rng.random(), sample.inference, completes=False)
    return sample


def drifting(sample: Sample, number: int, _: random.Random, *, by: float) -> Sample:
    return Sample(sample.seconds * by**number, sample.inference * by**number)


def queued(sample: Sample, _: int, rng: random.Random) -> Sample:
    wait = rng.expovariate(1 / 60) if rng.random() < 0.2 else 0.0
    return Sample(sample.seconds + wait, sample.inference)


def changed(population: Population, change: Callable[[Sample, int, random.Random], Sample]) -> Population:
    """Change each task of a population."""

    def model(quantile: float, rng: random.Random) -> Model:
        draw = population(quantile, rng)
        return lambda number: change(draw(number), number, rng)

    return model


def either(first: float, second: float, share: float) -> Population:
    """Return models with two kinds of input, of which the first has this share."""

    def model(_: float, rng: random.Random) -> Model:
        def draw(_: int) -> Sample:
            seconds = (first if rng.random() < share else second) * math.exp(rng.gauss(0, 0.1))
            return Sample(seconds, seconds)

        return draw

    return model


EVEN = steady(log_uniform, 0.1)
POPULATIONS = {
    **{
        f"{name}, sigma {sigma}": steady(median, sigma) for sigma in (0.1, 0.3, 0.5) for name, median in MEDIANS.items()
    },
    "5 % fail": changed(EVEN, failing),
    "videos, 5 % fail": changed(steady(video, 0.1), failing),
    "3 % slower each time": changed(EVEN, partial(drifting, by=1.03)),
    "3 % faster each time": changed(EVEN, partial(drifting, by=0.97)),
    "20 % queued": changed(EVEN, queued),
    "half 2 s, half 60 s": either(2, 60, 0.5),
    "half 5 s, half 10 s": either(5, 10, 0.5),
    "4 s, one in ten 60 s": either(60, 4, 0.1),
    "10 s, sigma 1.2": steady(lambda _: 10.0, 1.2),
}


@pytest.mark.parametrize(
    ("seconds", "polls", "known_after"),
    [(0.01, 1, 0.1), (0.05, 1, 0.1), (0.5, 2, 1.2), (1.15, 2, 1.2), (1.2, 3, 2.3), (10.0, 11, 11.1)],
)
def test_the_official_client_polls_at_once_and_then_every_second(
    seconds: float, polls: int, known_after: float
) -> None:
    cost = official(Sample(seconds, seconds))
    assert cost.polls == cost.connections == polls
    assert cost.lateness == pytest.approx(known_after - seconds)


def test_a_simulated_wait_is_as_late_as_its_last_poll() -> None:
    memory, rng = Durations(), random.Random(1)
    costs = [ours(Sample(20.0, 20.0), memory, rng) for _ in range(10)]
    assert all(cost.lateness >= ROUND_TRIP / 2 for cost in costs)
    assert costs[-1].polls < costs[0].polls / 1.5
    failed = ours(Sample(5.0, 20.0, completes=False), memory, rng)
    assert failed.lateness < 5


@pytest.mark.parametrize("name", MEDIANS)
def test_a_known_model_takes_fewer_polls_than_the_official_client_and_is_no_later(name: str) -> None:
    theirs, _, learnt = simulate(steady(MEDIANS[name], 0.1), models=40)
    assert learnt.polls < theirs.polls
    assert learnt.lateness <= theirs.lateness


@pytest.mark.parametrize("name", POPULATIONS)
def test_a_model_whose_tasks_differ_is_not_waited_for_in_a_worse_way(name: str) -> None:
    """Polls and seconds are weighed against each other as the schedule weighs them."""
    _, blind, learnt = simulate(POPULATIONS[name], models=10)
    assert learnt.polls < 1.05 * blind.polls
    assert learnt.lateness + 0.04 * learnt.polls < 1.05 * (blind.lateness + 0.04 * blind.polls)


def test_a_wait_connects_anew_less_often_than_it_polls() -> None:
    memory, rng = Durations(), random.Random(1)
    assert ours(Sample(3.0, 3.0), Durations(), rng).connections == 0
    known = [ours(Sample(600.0, 600.0), memory, rng) for _ in range(10)][-1]
    assert 0 < known.connections < known.polls


def test_the_simulation_is_the_same_each_time() -> None:
    assert simulate(EVEN, models=3) == simulate(EVEN, models=3)
    assert simulate(EVEN, models=3) != simulate(EVEN, models=3, seed=8)


def test_each_figure_of_polling_has_its_bar() -> None:
    found = polling(models=2)
    assert found.keys() <= {bar.name for bar in BARS}
    assert found["new connections"].value == simulate(steady(video, 0.1), models=2)[2].connections
    assert found["polls"].value == found["polls"].high
