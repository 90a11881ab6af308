"""Polling, simulated: how many questions a task takes and how late its end is noticed. Seeded, and no time passes."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterable, Iterator, Sequence
from statistics import NormalDist, fmean

from attrs import astuple, define, frozen

from report import Section
from wavespeed_client.clock import Clock, Deadline
from wavespeed_client.task import Task
from wavespeed_client.transport.httpx1.pools import READ_IDLE_SECONDS
from wavespeed_client.waiting.durations import Durations
from wavespeed_client.waiting.wait import Wait

ROUND_TRIP = 0.1
SEEN = 3  # tasks of a model that teach before the counting begins
COUNTED = 7

HTTPX_IDLE_SECONDS = 5.0  # how long a connection of httpx's own pool may idle, if nobody says otherwise

OFFICIAL_PAUSE = 1.0  # the official client asks at once, then this long after each answer


@define
class SimulatedClock(Clock):
    time: float = 0.0

    def now(self) -> float:
        return self.time


@frozen
class Sample:
    """One task: what it takes in all, what of that the model works, and whether it completes."""

    seconds: float
    inference: float
    completes: bool = True


# Draws a model's next task, given how many it has had.
Model = Callable[[int], Sample]


@frozen
class Case:
    """A population of models."""

    name: str
    model: Callable[[float, random.Random], Model]
    judged: bool = False


@frozen
class Cost:
    """What waiting took, for one task or on average.

    Attributes:
        questions: Questions a task.
        lateness: Seconds from its end until that was known.
        connections: New connections a task, beside the one that submitted it.
        with_httpx: The same, if a connection might idle only for as long as in httpx's own pool.
    """

    questions: float
    lateness: float
    connections: float
    with_httpx: float

    def __str__(self) -> str:
        return f"{self.questions:.1f} @ {self.lateness:.2f} s"


def log_uniform(quantile: float) -> float:
    return 0.5 * math.pow(120 / 0.5, quantile)


def image(quantile: float) -> float:
    return 4 * math.exp(0.9 * NormalDist().inv_cdf(quantile))


def video(quantile: float) -> float:
    return 40 * math.exp(0.6 * NormalDist().inv_cdf(quantile))


def steady(
    median: Callable[[float], float], sigma: float, *, failing: float = 0.0, drift: float = 0.0, queued: float = 0.0
) -> Callable[[float, random.Random], Model]:
    """Models whose tasks vary by sigma (of the logarithm).

    Args:
        median: A model's median in seconds, for its quantile among all models.
        sigma: Standard deviation of the logarithm of a task's duration.
        failing: Share of the tasks that fail, at any moment until they would have completed.
        drift: By how much of itself each task takes longer than the one before.
        queued: Share of the tasks that stand in a queue first, for a minute on average.
    """

    def model(quantile: float, rng: random.Random) -> Model:
        def draw(number: int) -> Sample:
            inference = median(quantile) * math.exp(rng.gauss(0, sigma)) * (1 + drift) ** number
            total = inference + (rng.expovariate(1 / 60) if rng.random() < queued else 0.0)
            if rng.random() < failing:
                return Sample(total * rng.random(), inference, completes=False)
            return Sample(total, inference)

        return draw

    return model


def either(first: float, second: float, share: float) -> Callable[[float, random.Random], Model]:
    """Models with two kinds of input, of which the first has this share."""

    def model(_: float, rng: random.Random) -> Model:
        def draw(_: int) -> Sample:
            seconds = (first if rng.random() < share else second) * math.exp(rng.gauss(0, 0.1))
            return Sample(seconds, seconds)

        return draw

    return model


VIDEO = Case("video, sigma 0.1", steady(video, 0.1), judged=True)
CASES = (
    Case("0.5-120 s log-uniform, sigma 0.1", steady(log_uniform, 0.1), judged=True),
    Case("images, sigma 0.1", steady(image, 0.1), judged=True),
    VIDEO,
    Case("log-uniform, sigma 0.3", steady(log_uniform, 0.3)),
    Case("images, sigma 0.3", steady(image, 0.3)),
    Case("video, sigma 0.3", steady(video, 0.3)),
    Case("log-uniform, sigma 0.5", steady(log_uniform, 0.5)),
    Case("images, sigma 0.5", steady(image, 0.5)),
    Case("video, sigma 0.5", steady(video, 0.5)),
    Case("log-uniform, sigma 0.1, 5 % fail", steady(log_uniform, 0.1, failing=0.05)),
    Case("video, sigma 0.1, 5 % fail", steady(video, 0.1, failing=0.05)),
    Case("log-uniform, sigma 0.1, 3 % slower each time", steady(log_uniform, 0.1, drift=0.03)),
    Case("log-uniform, sigma 0.1, 3 % faster each time", steady(log_uniform, 0.1, drift=-0.03)),
    Case("log-uniform, sigma 0.1, 20 % queued", steady(log_uniform, 0.1, queued=0.2)),
    Case("half 2 s, half 60 s", either(2, 60, 0.5)),
    Case("half 5 s, half 10 s", either(5, 10, 0.5)),
    Case("4 s, one in ten 60 s", either(60, 4, 0.1)),
    Case("median 10 s, sigma 1.2", steady(lambda _: 10.0, 1.2)),
)


def official(sample: Sample) -> Cost:
    """The official client: a question each second, each over a connection of its own."""
    cycle = ROUND_TRIP + OFFICIAL_PAUSE
    pauses = max(0, math.ceil((sample.seconds - ROUND_TRIP / 2) / cycle))
    questions = pauses + 1
    return Cost(questions, pauses * cycle + ROUND_TRIP - sample.seconds, questions, questions)


def ours(sample: Sample, memory: Durations, rng: random.Random) -> Cost:
    """This client's own code, on a simulated clock."""
    clock, pauses = SimulatedClock(), list[float]()
    submitted = Task(id="simulated", model="some/model", status="created")
    memory.submitted(submitted, clock.now())
    wait = Wait(submitted, None, Deadline.after(None, clock), memory, rng.random)
    while wait.goes_on():
        pauses.append(wait.delay())
        clock.time += pauses[-1] + ROUND_TRIP
        wait.saw(_answer(sample, clock.time - ROUND_TRIP / 2))
    idle = (new_connections(pauses, READ_IDLE_SECONDS), new_connections(pauses, HTTPX_IDLE_SECONDS))
    return Cost(len(pauses), clock.time - sample.seconds, *idle)


def new_connections(pauses: Iterable[float], idle: float) -> int:
    """How many questions need a new connection, if one may idle for so long; the first may use the submission's."""
    return sum(pause > idle for pause in pauses)


def _answer(sample: Sample, age: float) -> Task:
    if age < sample.seconds:
        return Task(id="simulated", model="some/model", status="processing")
    status = "completed" if sample.completes else "failed"
    return Task(id="simulated", model="some/model", status=status, inference_ms=sample.inference * 1000)


def simulate(case: Case, models: int, seed: int = 7) -> tuple[Cost, Cost, Cost]:
    """What the tasks of a case cost on average: by the official client, by ours without a memory, and by ours."""
    rows = [row for number in range(models) for row in _model(case, (number + 0.5) / models, f"{seed} {number}")]
    theirs, blind, learnt = (_mean(costs) for costs in zip(*rows, strict=True))
    return theirs, blind, learnt


def _mean(costs: Sequence[Cost]) -> Cost:
    return Cost(*(fmean(values) for values in zip(*map(astuple, costs), strict=True)))


def _model(case: Case, quantile: float, seed: str) -> Iterator[tuple[Cost, Cost, Cost]]:
    # Two of them, so that the tasks are the same however often a client asks.
    tasks, rng = random.Random(seed), random.Random(f"{seed} jitter")  # noqa: S311 - it has to be repeatable
    draw, memory = case.model(quantile, tasks), Durations()
    for number in range(SEEN + COUNTED):
        sample = draw(number)
        learnt = ours(sample, memory, rng)
        if number >= SEEN:
            yield official(sample), ours(sample, Durations(), rng), learnt


def polling(models: int) -> Section:
    """Every case, and the worst ratios to the official client in those that are judged."""
    rows: list[tuple[str, ...]] = []
    questions: list[float] = []
    lateness: list[float] = []
    for case in CASES:
        theirs, blind, learnt = simulate(case, models)
        rows.append((case.name, str(theirs), str(blind), str(learnt)))
        if case.judged:
            questions.append(learnt.questions / theirs.questions)
            lateness.append(learnt.lateness / theirs.lateness)
    note = (
        "Simulated and seeded: questions a task @ mean seconds from its end until that was known, failures included. "
        f"{models} models in each population, {COUNTED} tasks of each after {SEEN} that taught, {ROUND_TRIP} s for a "
        "question. The first three are judged."
    )
    header = ("tasks", "official, every second", "ours, model unknown", "ours, model known")
    return Section("Polling", note, header, rows, {"questions": max(questions), "lateness": max(lateness)})


def connections(models: int) -> Section:
    """How often a wait has to connect anew, in the cases that are judged."""
    rows: list[tuple[str, ...]] = []
    findings: dict[str, float] = {}
    for case in (case for case in CASES if case.judged):
        _, blind, learnt = simulate(case, models)
        counts = (blind.connections, blind.with_httpx, learnt.connections, learnt.with_httpx)
        rows.append((case.name, *(f"{count:.2f}" for count in counts)))
        if case is VIDEO:
            findings = {"new connections": learnt.connections, "idle for 5 s at most": learnt.with_httpx}
    note = (
        "The same waits: new connections a task, beside the one that submitted it, when a question may use one that "
        f"has idled for {READ_IDLE_SECONDS:g} s, as ours may, and when it may for httpx's {HTTPX_IDLE_SECONDS:g} s. "
        "The official client opens one for each question."
    )
    kinds = (f"model {known}, {whose}" for known in ("unknown", "known") for whose in ("ours", "with httpx's"))
    return Section("New connections", note, ("tasks", *kinds), rows, findings)
