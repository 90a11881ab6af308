"""Simulate polling: count a task's polls, and measure how late its end is noticed. Seeded; no real time passes."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterator
from functools import partial
from statistics import NormalDist, fmean

from attrs import astuple, define, frozen

from benchmarks.figures import Figure
from wavespeed_client.clock import Clock, Deadline
from wavespeed_client.task import Task
from wavespeed_client.transport.httpx1.pools import READ_IDLE_SECONDS
from wavespeed_client.waiting.durations import Durations
from wavespeed_client.waiting.wait import Wait

ROUND_TRIP = 0.1
SEEN = 3  # tasks of a model before the counting begins, from which the client learns
COUNTED = 7
OFFICIAL_PAUSE = 1.0  # the official client polls at once, and then this many seconds after each response


@define
class SimulatedClock(Clock):
    time: float = 0.0

    def now(self) -> float:
        return self.time


@frozen
class Sample:
    """One task: its total seconds, the model's seconds, and whether it completes."""

    seconds: float
    inference: float
    completes: bool = True


# Draws a model's next task; the argument is the number of earlier ones.
Model = Callable[[int], Sample]
# Makes a model from its quantile among all models and a source of random numbers.
Population = Callable[[float, random.Random], Model]


@frozen
class Cost:
    """The cost of waiting, for one task or on average.

    Attributes:
        polls: Number of polls of a task.
        lateness: Seconds from its end until the client noticed it.
        connections: Number of new connections after the one that submitted the task.
    """

    polls: float
    lateness: float
    connections: float


def steady(median: Callable[[float], float], sigma: float) -> Population:
    """Return models whose tasks vary by sigma (of the logarithm) around a median for each quantile."""

    def model(quantile: float, rng: random.Random) -> Model:
        def draw(_: int) -> Sample:
            seconds = median(quantile) * math.exp(rng.gauss(0, sigma))
            return Sample(seconds, seconds)

        return draw

    return model


def log_uniform(quantile: float) -> float:
    return 0.5 * math.pow(120 / 0.5, quantile)


def log_normal(quantile: float, *, median: float, sigma: float) -> float:
    return median * math.exp(sigma * NormalDist().inv_cdf(quantile))


MEDIANS: dict[str, Callable[[float], float]] = {
    "0.5 to 120 s": log_uniform,
    "images": partial(log_normal, median=4, sigma=0.9),
    "videos": partial(log_normal, median=40, sigma=0.6),
}


def official(sample: Sample) -> Cost:
    """Poll every second as the official client does, each time with a new connection."""
    cycle = ROUND_TRIP + OFFICIAL_PAUSE
    pauses = max(0, math.ceil((sample.seconds - ROUND_TRIP / 2) / cycle))
    return Cost(pauses + 1, pauses * cycle + ROUND_TRIP - sample.seconds, pauses + 1)


def ours(sample: Sample, memory: Durations, rng: random.Random) -> Cost:
    """Run this client's own code on a simulated clock."""
    clock, pauses = SimulatedClock(), list[float]()
    submitted = Task(id="simulated", model="some/model", status="created")
    memory.submitted(submitted, clock.now())
    wait = Wait(submitted, None, Deadline.after(None, clock), memory, rng.random)
    while wait.goes_on():
        pauses.append(wait.delay())
        clock.time += pauses[-1] + ROUND_TRIP
        wait.saw(_response(sample, clock.time - ROUND_TRIP / 2))
    # A connection that was idle for longer than this is not used again.
    return Cost(len(pauses), clock.time - sample.seconds, sum(pause > READ_IDLE_SECONDS for pause in pauses))


def _response(sample: Sample, age: float) -> Task:
    if age < sample.seconds:
        return Task(id="simulated", model="some/model", status="processing")
    status = "completed" if sample.completes else "failed"
    return Task(id="simulated", model="some/model", status=status, inference_ms=sample.inference * 1000)


def simulate(population: Population, models: int, seed: int = 7) -> tuple[Cost, Cost, Cost]:
    """Return the average costs of the official client, of ours without what it learned, and of ours."""
    rows = [row for number in range(models) for row in _costs(population, (number + 0.5) / models, f"{seed} {number}")]
    theirs, blind, learnt = (
        Cost(*(fmean(values) for values in zip(*map(astuple, costs), strict=True))) for costs in zip(*rows, strict=True)
    )
    return theirs, blind, learnt


def _costs(population: Population, quantile: float, seed: str) -> Iterator[tuple[Cost, Cost, Cost]]:
    # Two sources of random numbers, so that the tasks do not depend on how often a client polls.
    tasks, jitter = random.Random(seed), random.Random(f"{seed} jitter")  # noqa: S311 - it must be repeatable
    draw, memory = population(quantile, tasks), Durations()
    for number in range(SEEN + COUNTED):
        sample = draw(number)
        learnt = ours(sample, memory, jitter)
        if number >= SEEN:
            yield official(sample), ours(sample, Durations(), jitter), learnt


def polling(models: int) -> dict[str, Figure]:
    """Return the worst figures of all populations, with their ranges, and the new connections for videos."""
    found = {name: simulate(steady(median, 0.1), models) for name, median in MEDIANS.items()}
    polls = [learnt.polls / theirs.polls for theirs, _, learnt in found.values()]
    lateness = [learnt.lateness / theirs.lateness for theirs, _, learnt in found.values()]
    return {
        "polls": Figure(max(polls), min(polls), max(polls)),
        "lateness": Figure(max(lateness), min(lateness), max(lateness)),
        "new connections": Figure.of(found["videos"][2].connections),
    }
