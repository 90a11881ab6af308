"""When to poll again, and how a wait ends: no I/O, and the time comes from a clock that is passed in."""

from __future__ import annotations

import logging
import random
from contextlib import contextmanager
from typing import TYPE_CHECKING

from attrs import define, field

from ..errors import (
    APIConnectionError,
    RateLimitError,
    ServerError,
    TaskFailedError,
    TaskTimeoutError,
    WaveSpeedError,
)
from ..task import UNKNOWN_STATUS, Task
from .durations import PATIENCE, Durations, next_poll

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from ..clock import Deadline

logger = logging.getLogger("wavespeed_client")

# How much the patience between two polls varies, so that clients which began together do not poll together.
JITTER = 0.4

# What another try may mend, so that the end of the wait is the better news.
PASSING = (APIConnectionError, RateLimitError, ServerError)


@define
class Wait:
    """One wait for one task: the client polls and sleeps, this says when, and what it means."""

    task: Task
    timeout: float | None
    deadline: Deadline
    durations: Durations = field(factory=Durations)
    random_number: Callable[[], float] = random.random
    _age_known: bool = field(init=False)
    _began: float = field(init=False)
    _last: float = field(init=False)
    _polled: bool = field(default=False, init=False)

    def __attrs_post_init__(self) -> None:
        submitted = self.durations.submission(self.task)
        self._age_known = submitted is not None
        self._began = self._last = self._now() if submitted is None else submitted

    def goes_on(self) -> bool:
        """Tell whether to poll (again).

        Raises:
            TaskTimeoutError: The task runs on, but the time is up.
        """
        if not self.task.done and self._polled and not self.deadline.left():
            raise self._timed_out()
        return not self.task.done

    def delay(self) -> float:
        """Return the seconds to let pass before the next poll, never past the deadline."""
        if self.task.status == UNKNOWN_STATUS and not self._polled:  # only its id is known
            return 0.0
        patience = PATIENCE * (1 + JITTER * (2 * self.random_number() - 1))
        # What is known of the model is of no use for a task of unknown age: the service's clock is not this machine's.
        known = self.durations.known(self.task) if self._age_known else None
        due = self._last + next_poll(self._last - self._began, known, patience)
        return min(max(0.0, due - self._now()), self.deadline.left())

    def saw(self, task: Task) -> bool:
        """Take in what a poll says; return whether the status is another than before."""
        changed = task.status != self.task.status
        now = self._now()
        if task.done and self._age_known:
            self.durations.ended(task, self._last - self._began, now - self._began)
        self.task, self._last, self._polled = task, now, True
        return changed

    @contextmanager
    def guarded(self) -> Generator[None]:
        """See to it that no end of the wait loses the task's id, be it an error or an interruption.

        Raises:
            TaskTimeoutError: A poll failed in a way that may pass, but the time is up.
        """
        try:
            yield
        except BaseException as error:
            if isinstance(error, TaskTimeoutError) and error.task is self.task:
                raise
            if isinstance(error, PASSING) and not self.deadline.left():
                raise self._timed_out() from error
            trace = f"The wait for task {self.task.id} was cut short. The task may run on: wait for it again by its id."
            error.add_note(trace)
            if not isinstance(error, WaveSpeedError):
                logger.warning("%s", trace)
            raise

    def _now(self) -> float:
        return self.deadline.clock.now()

    def _timed_out(self) -> TaskTimeoutError:
        return TaskTimeoutError(
            f"Task {self.task.id} is not finished after {self.timeout} seconds (status {self.task.status!r}). It runs "
            "on and is billed when it succeeds: wait for it again by its id, do not submit it again.",
            task=self.task,
        )


def completed(task: Task) -> Task:
    """Return the task, if it has completed.

    Raises:
        TaskFailedError: It ended in another way.
    """
    if error := failure(task):
        raise error
    return task


def failure(task: Task) -> TaskFailedError | None:
    """Return why a task that has ended is not completed; None if it is."""
    if task.succeeded:
        return None
    reason = task.error or "the service gives no reason"
    code = f" (code {task.code})" if task.code else ""
    return TaskFailedError(f"Task {task.id} ended as {task.status}: {reason}{code}", task=task)
