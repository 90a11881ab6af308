"""Decide when to poll again, and when a wait ends. No I/O; the clock is passed in."""

from __future__ import annotations

import logging
import math
import random
from contextlib import contextmanager
from typing import TYPE_CHECKING

from attrs import define, field

from ..errors import NotFoundError, TaskFailedError, TaskTimeoutError, WaveSpeedError
from ..log import log
from ..task import UNKNOWN_STATUS, Task
from .durations import ANY_MODEL, PATIENCE, Durations, next_poll

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from ..clock import Deadline

# Relative jitter of the patience, so that clients that were started together do not poll together.
JITTER = 0.4

# Pauses after polls without a usable response: they double from the first to the longest, in seconds.
FIRST_PAUSE = 1.0
LONGEST_PAUSE = 60.0
# A wait without a deadline gives up after this many seconds without a response.
LONGEST_SILENCE = 600.0


@define
class Wait:
    """A wait for one task. The client polls and sleeps; the wait decides when, and interprets the responses."""

    task: Task
    timeout: float | None
    deadline: Deadline
    durations: Durations = field(factory=Durations)
    random_number: Callable[[], float] = random.random
    _age_known: bool = field(init=False)
    _began: float = field(init=False)
    _last_seen: float = field(init=False)  # when the task was last seen running
    _last_response: float = field(init=False)
    _polled: bool = field(default=False, init=False)
    _pause: float = field(default=0.0, init=False)  # after a poll without a usable response

    def __attrs_post_init__(self) -> None:
        submitted = self.durations.submission(self.task)
        self._age_known = submitted is not None
        self._last_response = self._now()
        self._began = self._last_seen = self._last_response if submitted is None else submitted

    def goes_on(self) -> bool:
        """Return whether to poll (again).

        Raises:
            TaskTimeoutError: The time is up, but the task still runs.
        """
        if not self.task.done and self._polled and not self.deadline.left():
            raise self._timed_out()
        return not self.task.done

    def delay(self) -> float:
        """Return the seconds until the next poll, never past the deadline."""
        if self._pause:
            return min(self._pause, self.deadline.left())
        if self.task.status == UNKNOWN_STATUS and not self._polled:  # only its id is known
            return 0.0
        patience = PATIENCE * (1 + JITTER * (2 * self.random_number() - 1))
        # Known durations do not help if the task's age is unknown: `created_at` is from the service's clock.
        known = self.durations.known(self.task.model) if self._age_known else ANY_MODEL
        due = self._last_seen + next_poll(self._last_seen - self._began, known, patience)
        return min(max(0.0, due - self._now()), self.deadline.left())

    def saw(self, task: Task) -> bool:
        """Record the response to a poll; return whether the status has changed."""
        changed = task.status != self.task.status
        now = self._now()
        if task.done:
            log(logging.INFO, "Task %s ended as %s.", task.id, task.status)
            self.durations.ended(task, self._last_seen - self._began, now - self._began)
        self.task, self._polled, self._pause = task, True, 0.0
        self._last_seen = self._last_response = now
        return changed

    def missed(self, error: WaveSpeedError) -> None:
        """Record a poll without a usable response. Continue after temporary errors, because the task is paid for.

        Raises:
            TaskTimeoutError: The time is up, or a wait without a deadline got no response for 10 minutes.
            WaveSpeedError: The error itself, if it is lasting.
        """
        if error.lasting:
            raise error
        silence = self._now() - self._last_response
        if not self.deadline.left() or (math.isinf(self.deadline.at) and silence >= LONGEST_SILENCE):
            raise self._timed_out() from error
        if not self._pause:
            log(logging.WARNING, "A poll for task %s got no response (%s). Polling goes on.", self.task.id, error)
        # Never shorter than this, even if the service asks for less; `delay` keeps it within the deadline.
        asked = getattr(error, "retry_after", None) or 0.0
        self._pause = min(max(FIRST_PAUSE, 2 * self._pause, asked), LONGEST_PAUSE)

    @contextmanager
    def guarded(self) -> Generator[None]:
        """Name the task in the error, in `.task` or a note, however the wait ends."""
        try:
            yield
        except BaseException as error:
            if isinstance(error, TaskTimeoutError) and error.task is self.task:
                raise
            gone = isinstance(error, NotFoundError) and error.from_service
            advice = "" if gone else " The task may run on: wait for it again by its id."
            error.add_note(f"The wait for task {self.task.id} was cut short.{advice}")
            if isinstance(error, WaveSpeedError):
                error.name_task(self.task)
            else:
                log(logging.WARNING, "%s", error.__notes__[-1])
            raise

    def _now(self) -> float:
        return self.deadline.clock.now()

    def _timed_out(self) -> TaskTimeoutError:
        seconds = LONGEST_SILENCE if self.timeout is None else self.timeout
        what = "could not be polled for" if self.timeout is None else "is not finished after"
        return TaskTimeoutError(
            f"Task {self.task.id} {what} {seconds} seconds (status {self.task.status!r}). It is still running and "
            "is billed if it succeeds: wait for it again by its id, do not submit it again.",
            task=self.task,
        )


def completed(task: Task) -> Task:
    """Return the task if it has completed.

    Raises:
        TaskFailedError: The task ended in another way.
    """
    if error := failure(task):
        raise error
    return task


def failure(task: Task) -> TaskFailedError | None:
    """Return the error of a task that has ended; None if it has completed."""
    if task.succeeded:
        return None
    reason = task.error or "the service gives no reason"
    code = f" (code {task.code})" if task.code else ""
    return TaskFailedError(f"Task {task.id} ended as {task.status}: {reason}{code}", task=task)
