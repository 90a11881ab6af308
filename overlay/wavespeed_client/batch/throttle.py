"""Limit how fast a batch submits: tasks at once, submissions a minute, and pauses after HTTP 429. Pure, no I/O."""

from __future__ import annotations

import math
import random
from collections import deque
from typing import TYPE_CHECKING

from attrs import define, field

from ..errors import APIConnectionError, InvalidInputError, RateLimitError, ServerError, SubmissionUncertainError

if TYPE_CHECKING:
    from collections.abc import Callable

# Errors of requests that certainly were not sent.
UNSENT = (APIConnectionError, InvalidInputError)
# Errors of a service or network in trouble: the next submission would probably fail, too.
TROUBLE = (APIConnectionError, RateLimitError, ServerError, SubmissionUncertainError)

MINUTE = 60.0

FIRST_PAUSE = 1.0
LONGEST_PAUSE = 60.0
JITTER = 0.2

# A refusal lowers the limit of tasks in flight by a quarter; ten accepted submissions raise it by one.
CUT = 0.75
GAIN = 0.1


@define
class Throttle:
    """The limits of a batch's submissions. A refusal slows down the whole batch.

    A submission counts towards `most_per_minute` until a minute after its response: the service counts it at some time
    between sending and response, which the network may delay.

    A refusal stops all submissions for a pause, and lowers the limit of tasks in flight. After the pause, a single
    submission is tried. If it is refused, the next pause is twice as long; if it is accepted, the others follow.

    Attributes:
        most: Tasks in flight when the service refuses nothing.
        most_per_minute: Submissions within any 60 seconds; None for no limit.
        in_flight: Running tasks, and submissions without a response yet.
        pending: Submissions without a response yet.
    """

    most: int
    most_per_minute: int | None = None
    random_number: Callable[[], float] = random.random
    in_flight: int = field(init=False, default=0)
    pending: int = field(init=False, default=0)
    _free_again: deque[float] = field(init=False, factory=deque[float])
    _room: float = field(init=False)
    _pause: float = field(init=False, default=FIRST_PAUSE)
    _resumes_at: float = field(init=False, default=-math.inf)
    _slowed: bool = field(init=False, default=False)
    _trying: bool = field(init=False, default=False)

    def __attrs_post_init__(self) -> None:
        self._room = float(self.most)

    def wait(self, now: float, before: int = 0) -> float:
        """Return the seconds until a submission may be sent; infinite if a response must make room first.

        Args:
            now: The time.
            before: Submissions that come before this one.
        """
        pending = self.pending + before
        if self.in_flight + before >= int(self._room) or (self._slowed and pending):
            return math.inf
        return max(0.0, self._resumes_at - now, self._wait_for_the_minute(now, pending))

    def _wait_for_the_minute(self, now: float, pending: int) -> float:
        while self._free_again and self._free_again[0] <= now:
            self._free_again.popleft()
        if self.most_per_minute is None or pending + len(self._free_again) < self.most_per_minute:
            return 0.0
        return self._free_again[0] - now if self._free_again else math.inf

    def sent(self) -> None:
        """Count a submission that is about to be sent."""
        self.in_flight += 1
        self.pending += 1
        self._trying = self._slowed

    def settled(self, now: float) -> None:
        """Record that a submission has its response, or will get none."""
        self.pending -= 1
        if self.most_per_minute is not None:
            self._free_again.append(now + MINUTE)

    def not_sent(self) -> None:
        """Uncount a submission that was not sent after all."""
        self.pending -= 1

    def resumed(self) -> None:
        """Count a task of an earlier run as in flight."""
        self.in_flight += 1

    def ended(self) -> None:
        """Record that a task has ended, or was not started."""
        self.in_flight -= 1

    def accepted(self) -> None:
        """Speed up: the service accepted a submission, or refused one because of its content."""
        if self._trying or not self._slowed:
            self._slowed = self._trying = False
            self._pause = FIRST_PAUSE
            self._room = min(float(self.most), self._room + GAIN)

    def refused(self, now: float, retry_after: float | None = None) -> None:
        """Slow down: a submission failed because the service is busy or in trouble. It still counts as in flight."""
        if self._trying:
            self._trying = False
            self._pause = min(2 * self._pause, LONGEST_PAUSE)
            self._stop(now, self._pause)
        self.hindered(now, retry_after)

    def failed(self, now: float, error: Exception) -> None:
        """Record the error of a submission without a task."""
        if isinstance(error, UNSENT):
            self.not_sent()
        else:
            self.settled(now)
        if isinstance(error, TROUBLE):
            self.refused(now, getattr(error, "retry_after", None))
        elif not isinstance(error, UNSENT):
            self.accepted()
        self.ended()

    def hindered(self, now: float, retry_after: float | None = None) -> None:
        """Slow down: the service is busy, or cannot be reached."""
        if not self._slowed:
            self._slowed = True
            self._room = max(1.0, CUT * min(self._room, self.in_flight))
            self._stop(now, self._pause)
        # Requests sent at the same time are refused, too. Only their Retry-After counts.
        self._stop(now, min(retry_after or 0.0, LONGEST_PAUSE))

    def _stop(self, now: float, seconds: float) -> None:
        # The jitter only adds: a pause is never shorter than the service asks.
        self._resumes_at = max(self._resumes_at, now + seconds * (1 + JITTER * self.random_number()))
