"""How long tasks take, model by model, and when that says to ask: learnt from tasks that were waited for. No I/O."""

from __future__ import annotations

import math
from collections import deque
from threading import Lock
from typing import TYPE_CHECKING

from attrs import define, field, frozen

if TYPE_CHECKING:
    from .task import Task

# A question is due when the lateness to be expected since the last one, in seconds, has grown to this.
PATIENCE = 0.04
SHORTEST_DELAY = 0.2

# How probable it is, at the least, that a task has nothing to do with the ones before: it may fail, for one.
LEAST_DOUBT = 0.07

# The last durations of a model that count: few, so that a model which becomes faster is soon known to be.
REMEMBERED = 9
# What is added to their deviations, so that few durations that agree by chance are not believed too much.
ADDED_DEVIATION = 0.2

MOST_MODELS = 256
MOST_SUBMISSIONS = 10_000


@frozen
class Duration:
    """Seconds that a task may take: a log-Laplace distribution, sharp at its median and with heavy tails.

    Args:
        median: Half of the tasks take longer.
        spread: Mean absolute deviation of the natural logarithm.
    """

    median: float
    spread: float

    def running(self, age: float) -> float:
        """The probability that a task of this age still runs."""
        ratio = age / self.median
        return 1 - math.pow(ratio, 1 / self.spread) / 2 if ratio < 1 else math.pow(ratio, -1 / self.spread) / 2

    def area(self, age: float) -> float:
        """The integral of `running` from 0 to this age."""
        ratio, power = age / self.median, 1 / self.spread
        if ratio < 1:
            return self.median * (ratio - math.pow(ratio, power + 1) / (power + 1) / 2)
        beyond = math.log(ratio) if power == 1 else -math.expm1((1 - power) * math.log(ratio)) / (power - 1)
        return self.median * (1 - 1 / (power + 1) / 2 + beyond / 2)

    def doubt(self) -> float:
        """The probability that a task has nothing to do with this: the less, the more alike the ones before were."""
        return max(LEAST_DOUBT, self.spread / (self.spread + ANY_MODEL.spread))

    @classmethod
    def of(cls, logarithms: deque[float]) -> Duration:
        """The distribution that durations with these natural logarithms come from, more or less."""
        ordered, count = sorted(logarithms), len(logarithms)
        median = (ordered[(count - 1) // 2] + ordered[count // 2]) / 2
        deviation = sum(abs(value - median) for value in ordered)
        return cls(math.exp(median), (deviation + ADDED_DEVIATION) / count)


# Images take some seconds, videos minutes.
ANY_MODEL = Duration(median=3.0, spread=1.2)


def next_question(age: float, known: Duration | None, patience: float = PATIENCE) -> float:
    """Seconds from the last question to the next one, which is due when the lateness to expect is `patience`.

    This is close to the fewest questions for a mean lateness, whatever the distribution: far apart where a task
    hardly ends, close where it probably does, and ever farther apart once it takes longer than any before.

    Args:
        age: How old the task was when it was last seen running.
        known: How long tasks of its model take; None if that is not known.
        patience: Seconds of expected lateness.
    """
    parts = ((1 - known.doubt(), known), (known.doubt(), ANY_MODEL)) if known else ((1.0, ANY_MODEL),)
    running = sum(share * part.running(age) for share, part in parts)
    area = sum(share * part.area(age) for share, part in parts)

    def excess(delay: float) -> float:
        return delay - (sum(share * part.area(age + delay) for share, part in parts) - area) / running - patience

    def ended(delay: float) -> float:
        return 1 - sum(share * part.running(age + delay) for share, part in parts) / running

    delay = SHORTEST_DELAY
    if excess(delay) >= 0:
        return delay
    while excess(delay) < 0:
        delay *= 2
    # The excess rises ever more steeply, so Newton's steps come down to its zero and never pass it.
    while (step := excess(delay) / ended(delay)) > 0.005:
        delay -= step
    return delay


def seconds_taken(inference_ms: float | None, at_least: float, at_most: float, known: Duration | None) -> float | None:
    """How long a completed task took, as well as it can be told; None if that would be a guess.

    Args:
        inference_ms: What the service says; it leaves out the time in a queue.
        at_least: How old the task was when it was last seen running, 0 if it never was.
        at_most: How old it was when it was seen completed.
        known: What is known of its model.
    """
    if inference_ms is not None and inference_ms > 0:
        return min(max(inference_ms / 1000, at_least), at_most)
    if at_most <= 2 * at_least:
        return math.sqrt(at_least * at_most)
    # Nobody looked for long, and what is left is an upper bound: news only if it is low.
    return at_most if at_most < (known or ANY_MODEL).median else None


@define
class Durations:
    """One client's memory: when it submitted its tasks, and how long those of each model took. Threads may share it."""

    _logarithms: dict[str, deque[float]] = field(factory=dict[str, deque[float]], init=False, repr=False)
    _known: dict[str, Duration] = field(factory=dict[str, Duration], init=False, repr=False)
    _submissions: dict[str, float] = field(factory=dict[str, float], init=False, repr=False)
    _lock: Lock = field(factory=Lock, init=False, repr=False, eq=False)

    def submitted(self, task: Task, now: float) -> None:
        """Remember when a task began."""
        if task.done:
            return
        with self._lock:
            self._submissions[task.id] = now
            if len(self._submissions) > MOST_SUBMISSIONS:
                del self._submissions[next(iter(self._submissions))]

    def submission(self, task: Task) -> float | None:
        """When the task was submitted; None if that was long ago, or not by this client."""
        return self._submissions.get(task.id)

    def known(self, task: Task) -> Duration | None:
        """How long tasks of this task's model take, if any was seen to complete."""
        return self._known.get(task.model)

    def ended(self, task: Task, at_least: float, at_most: float) -> None:
        """Learn from a task that has ended. One that has failed tells nothing of those that complete.

        Args:
            task: The task; if the client does not know when it was submitted, nothing is learnt.
            at_least: How old it was when it was last seen running.
            at_most: How old it was when it was seen to have ended.
        """
        with self._lock:
            began = self._submissions.pop(task.id, None)
            if began is None or not task.succeeded or not task.model:
                return
            taken = seconds_taken(task.inference_ms, at_least, at_most, self._known.get(task.model))
            if taken is not None:
                self._learn(task.model, max(taken, SHORTEST_DELAY))

    def _learn(self, model: str, seconds: float) -> None:
        # Taken out and put back at the end: the first model is the one that was not heard of for longest.
        logarithms = self._logarithms.pop(model, None) or deque[float](maxlen=REMEMBERED)
        logarithms.append(math.log(seconds))
        self._logarithms[model] = logarithms
        self._known[model] = Duration.of(logarithms)
        if len(self._logarithms) > MOST_MODELS:
            oldest = next(iter(self._logarithms))
            del self._logarithms[oldest], self._known[oldest]
