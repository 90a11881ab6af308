"""When to ask again, and when to stop waiting: no I/O, and the time comes from a clock that is passed in."""

from __future__ import annotations

import logging
import random
from contextlib import contextmanager
from typing import TYPE_CHECKING

from attrs import define, field

from .durations import PATIENCE, Durations, next_question
from .errors import (
    APIConnectionError,
    InvalidInputError,
    RateLimitError,
    ServerError,
    TaskFailedError,
    TaskTimeoutError,
    WaveSpeedError,
)
from .task import UNKNOWN_STATUS, Task

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from .clock import Deadline

logger = logging.getLogger("wavespeed_client")

# How much the patience between two questions varies, so that clients which began together do not ask together.
JITTER = 0.4

# What another try may mend, so that the end of the wait is the better news.
PASSING = (APIConnectionError, RateLimitError, ServerError)


@define
class Waiting:
    """One wait for one task: the client asks and sleeps, this says when, and what it means."""

    task: Task
    timeout: float | None
    deadline: Deadline
    durations: Durations = field(factory=Durations)
    random_number: Callable[[], float] = random.random
    _age_known: bool = field(init=False)
    _began: float = field(init=False)
    _last: float = field(init=False)
    _asked: bool = field(default=False, init=False)

    def __attrs_post_init__(self) -> None:
        submitted = self.durations.submission(self.task)
        self._age_known = submitted is not None
        self._began = self._last = self._now() if submitted is None else submitted

    def goes_on(self) -> bool:
        """Whether to ask (again).

        Raises:
            TaskTimeoutError: The task runs on, but the time is up.
        """
        if not self.task.done and self._asked and not self.deadline.left():
            raise self._timed_out()
        return not self.task.done

    def delay(self) -> float:
        """Seconds to let pass before the next question, never past the deadline."""
        if self.task.status == UNKNOWN_STATUS and not self._asked:  # only its id is known
            return 0.0
        patience = PATIENCE * (1 + JITTER * (2 * self.random_number() - 1))
        # What is known of the model is of no use for a task of unknown age: the service's clock is not this machine's.
        known = self.durations.known(self.task) if self._age_known else None
        due = self._last + next_question(self._last - self._began, known, patience)
        return min(max(0.0, due - self._now()), self.deadline.left())

    def saw(self, task: Task) -> bool:
        """Take in an answer; True when the status is another than before."""
        changed = task.status != self.task.status
        now = self._now()
        if task.done and self._age_known:
            self.durations.ended(task, self._last - self._began, now - self._began)
        self.task, self._last, self._asked = task, now, True
        return changed

    @contextmanager
    def guarded(self) -> Generator[None]:
        """See to it that no end of the wait loses the task's id, be it an error or an interruption.

        Raises:
            TaskTimeoutError: A question failed in a way that may pass, but the time is up.
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


def checked_watcher(on_update: object) -> None:
    """Refuse what cannot be called, before anything is paid for.

    Raises:
        InvalidInputError: on_update is neither None nor callable.
    """
    if on_update is not None and not callable(on_update):
        raise InvalidInputError(f"on_update must be a function that takes a task, not {type(on_update).__name__}.")


def completed(task: Task) -> Task:
    """The task, if it has completed.

    Raises:
        TaskFailedError: It ended in another way.
    """
    if error := failure(task):
        raise error
    return task


def failure(task: Task) -> TaskFailedError | None:
    """Why a task that has ended is not completed; None if it is."""
    if task.succeeded:
        return None
    reason = task.error or "the service gives no reason"
    code = f" (code {task.code})" if task.code else ""
    return TaskFailedError(f"Task {task.id} ended as {task.status}: {reason}{code}", task=task)
