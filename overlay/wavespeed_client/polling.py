"""When to ask again, and when to stop waiting: no I/O, and the time comes from a clock that is passed in."""

from __future__ import annotations

import asyncio
import logging
import math
import random
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from attrs import define, field, frozen

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
    import threading
    from collections.abc import Callable, Generator

logger = logging.getLogger("wavespeed_client")

# How much the patience between two questions varies, so that clients which began together do not ask together.
JITTER = 0.4

# Seconds past the end of a wait that its last question may take.
LAST_QUESTION = 0.3

# What another try may mend, so that the end of the wait is the better news.
PASSING = (APIConnectionError, RateLimitError, ServerError)


class Clock:
    """Time that never jumps, and how to let it pass. Tests pass their own."""

    def now(self) -> float:
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)

    async def asleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

    def wait(self, condition: threading.Condition, seconds: float) -> None:
        """Let that much time pass, or less: until the condition is notified, or for no reason."""
        # On Windows, Ctrl-C is noticed between two waits only.
        condition.wait(min(seconds, 1.0))

    async def await_event(self, event: asyncio.Event, seconds: float) -> None:
        """Let that much time pass, or less: until the event is set."""
        with suppress(TimeoutError):
            async with asyncio.timeout(None if math.isinf(seconds) else seconds):
                await event.wait()


@frozen
class Deadline:
    """A moment after which nothing is waited for any more."""

    clock: Clock
    at: float

    @classmethod
    def after(cls, seconds: float | None, clock: Clock) -> Deadline:
        """The deadline that many seconds from now; never, for None.

        Raises:
            InvalidInputError: It is not a number of seconds, 0 or more.
        """
        try:
            number = math.inf if seconds is None else float(seconds)
        except (TypeError, ValueError, OverflowError):
            number = math.nan
        if not number >= 0 or isinstance(seconds, str):
            raise InvalidInputError("timeout must be a number of seconds, 0 or more, or None to wait without end.")
        return cls(clock, clock.now() + number)

    def left(self) -> float:
        """Seconds until then, 0 once it has passed."""
        return max(0.0, self.at - self.clock.now())

    def and_a_last_question(self) -> Deadline:
        """The deadline for the requests of a wait, so that even a wait of 0 seconds asks once."""
        return Deadline(self.clock, self.at + LAST_QUESTION)


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
    if task.succeeded:
        return task
    reason = task.error or "the service gives no reason"
    code = f" (code {task.code})" if task.code else ""
    raise TaskFailedError(f"Task {task.id} ended as {task.status}: {reason}{code}", task=task)
