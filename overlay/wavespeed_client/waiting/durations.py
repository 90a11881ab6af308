"""Estimate how long the tasks of each model take, and decide from that when to poll. No I/O."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from attrs import define, field, frozen

if TYPE_CHECKING:
    from ..task import Task

# A poll is due once the expected lateness reaches this many seconds.
PATIENCE = 0.04
SHORTEST_DELAY = 0.2

# The least probability of an outlier: a task unlike earlier ones, for example because it fails.
LEAST_OUTLIER_CHANCE = 0.07

# Number of durations kept for each model. It is small, so that polling soon adapts when a model becomes faster.
REMEMBERED = 9
# Added to the sum of their deviations, so that a few durations that are alike by chance do not look certain.
ADDED_DEVIATION = 0.2

MOST_MODELS = 256
MOST_SUBMISSIONS = 10_000


@frozen
class Duration:
    """Seconds that a task may take: a log-Laplace distribution, sharp at its median and with heavy tails.

    Args:
        median: Half of the tasks take longer.
        spread: Mean absolute deviation of the natural logarithm.
        logarithms: The natural logarithms of the durations from which it was estimated.
    """

    median: float
    spread: float
    logarithms: tuple[float, ...] = ()

    def at(self, age: float) -> tuple[float, float]:
        """Return the probability that a task of this age still runs, and its integral from 0 to this age."""
        ratio, power = age / self.median, 1 / self.spread
        if ratio < 1:
            ended = math.pow(ratio, power) / 2
            return 1 - ended, age * (1 - ended / (power + 1))
        runs = math.pow(ratio, -power) / 2
        beyond = math.log(ratio) / 2 if math.isclose(power, 1) else (0.5 - ratio * runs) / (power - 1)
        return runs, self.median * (1 - 0.5 / (power + 1) + beyond)

    def outlier_chance(self) -> float:
        """Return the probability that a task is unlike earlier ones: small if those were alike."""
        return max(LEAST_OUTLIER_CHANCE, self.spread / (self.spread + ANY_MODEL.spread))

    @classmethod
    def of(cls, logarithms: tuple[float, ...]) -> Duration:
        """Estimate the distribution that durations with these natural logarithms come from."""
        ordered, count = sorted(logarithms), len(logarithms)
        median = (ordered[(count - 1) // 2] + ordered[count // 2]) / 2
        deviation = sum(abs(value - median) for value in ordered)
        return cls(math.exp(median), (deviation + ADDED_DEVIATION) / count, logarithms)


# Images take some seconds, videos minutes.
ANY_MODEL = Duration(median=3.0, spread=1.2)


def next_poll(age: float, known: Duration, patience: float = PATIENCE) -> float:
    """Return the seconds from the last poll to the next one, due when the expected lateness reaches `patience`.

    For a given mean lateness this takes close to the fewest polls, whatever the distribution: polls are rare while a
    task is unlikely to end, frequent when it is likely to, and ever rarer once it takes longer than any before.

    Args:
        age: How old the task was when it was last seen running.
        known: How long tasks of its model take, or `ANY_MODEL`.
        patience: Seconds of expected lateness.
    """
    chance = known.outlier_chance()
    runs, area = _mixed(known, chance, age)

    def expected(delay: float) -> tuple[float, float]:
        """Return the lateness of a poll after this delay, minus the patience, and the probability that it is late."""
        runs_then, area_then = _mixed(known, chance, age + delay)
        return delay - (area_then - area) / runs - patience, 1 - runs_then / runs

    delay = SHORTEST_DELAY
    excess, late = expected(delay)
    if excess >= 0:
        return delay
    while excess < 0:
        delay *= 2
        excess, late = expected(delay)
    # The excess is a convex function, so Newton's method approaches its zero from above and never passes it.
    while (step := excess / late) > 0.005:
        delay -= step
        excess, late = expected(delay)
    return delay


def _mixed(known: Duration, chance: float, age: float) -> tuple[float, float]:
    """Return `Duration.at` for the known model and for any model, weighted by the chance of an outlier."""
    runs, area = ANY_MODEL.at(age)
    known_runs, known_area = known.at(age)
    return known_runs + chance * (runs - known_runs), known_area + chance * (area - known_area)


def seconds_taken(inference_ms: float | None, at_least: float, at_most: float, known: Duration) -> float | None:
    """Return the seconds that a completed task probably took; None if that would be a guess.

    Args:
        inference_ms: Milliseconds as the service reports them, without the time in a queue.
        at_least: How old the task was when it was last seen running, 0 if it never was.
        at_most: How old it was when it was seen completed.
        known: How long tasks of its model take, or `ANY_MODEL`.
    """
    if inference_ms is not None and inference_ms > 0:
        return min(max(inference_ms / 1000, at_least), at_most)
    if at_most <= 2 * at_least:
        return math.sqrt(at_least * at_most)
    # The last poll before was too long ago, so this is only an upper bound. It helps only if it is low.
    return at_most if at_most < known.median else None


@define
class Durations:
    """The memory of one client: when it submitted its tasks, and how long the tasks of each model took.

    Threads may share it without a lock: each step replaces a whole value, so a race loses a duration or two.
    """

    _learnt: dict[str, Duration] = field(factory=dict[str, Duration], init=False, repr=False)
    _submissions: dict[str, float] = field(factory=dict[str, float], init=False, repr=False)

    def submitted(self, task: Task, now: float) -> None:
        """Remember when a task began."""
        if not task.done:
            self._submissions[task.id] = now
            _forget_oldest(self._submissions, MOST_SUBMISSIONS)

    def submission(self, task: Task) -> float | None:
        """Return when the task was submitted; None if too long ago, or by another client."""
        return self._submissions.get(task.id)

    def known(self, model: str) -> Duration:
        """Return how long tasks of a model take; `ANY_MODEL` if none was seen to complete."""
        return self._learnt.get(model, ANY_MODEL)

    def ended(self, task: Task, at_least: float, at_most: float) -> None:
        """Learn from a completed task. Failed tasks do not count.

        Args:
            task: The task; if the client does not know when it was submitted, nothing is learnt.
            at_least: How old it was when it was last seen running.
            at_most: How old it was when it was seen to have ended.
        """
        began = self._submissions.pop(task.id, None)
        if began is None or not task.succeeded or not task.model:
            return
        taken = seconds_taken(task.inference_ms, at_least, at_most, self.known(task.model))
        if taken is not None:
            self._learn(task.model, max(taken, SHORTEST_DELAY))

    def _learn(self, model: str, seconds: float) -> None:
        learnt = Duration.of((*self.known(model).logarithms, math.log(seconds))[-REMEMBERED:])
        # Moved to the end, so that the least recently used model comes first.
        self._learnt.pop(model, None)
        self._learnt[model] = learnt
        _forget_oldest(self._learnt, MOST_MODELS)


def _forget_oldest(memory: dict[str, Any], most: int) -> None:
    """Forget a tenth of a memory that has grown too large."""
    if len(memory) > most:
        for key in list(memory)[: most // 10]:  # list() is atomic, even if other threads change the memory
            memory.pop(key, None)
