"""How fast a batch may submit: so many at once and a minute, at a pace that gives way to HTTP 429. Pure, no I/O."""

from __future__ import annotations

import math
import random
from collections import deque
from typing import TYPE_CHECKING

from attrs import define, field

from ..errors import APIConnectionError, InvalidInputError, RateLimitError, ServerError, SubmissionUncertainError

if TYPE_CHECKING:
    from collections.abc import Callable

# Errors by which a request certainly did not leave.
UNSENT = (APIConnectionError, InvalidInputError)
# Errors by which the service, or the way to it, is in trouble: the next submission would meet the same.
TROUBLE = (APIConnectionError, RateLimitError, ServerError, SubmissionUncertainError)

MINUTE = 60.0

FIRST_PAUSE = 1.0
LONGEST_PAUSE = 60.0
JITTER = 0.2

# A refusal takes a quarter off what may be in flight; ten submissions that were taken add one.
CUT = 0.75
GAIN = 0.1


@define
class Throttle:
    """What is under way in a batch, and when one more may be sent. All its tasks slow down and speed up together.

    A submission counts against its minute from when it is sent until a minute after its response: in between lies the
    moment at which the service counts it, however slow the way there was.

    A refusal stops all submissions for a pause, and lowers what may be in flight. After the pause one submission
    tries alone: if it is refused the next pause is twice as long, if it is taken the others follow.

    Attributes:
        most: What may be in flight when the service refuses nothing.
        most_per_minute: Submissions within any 60 seconds, wherever one begins to count; None for any number.
        in_flight: Tasks that run, with the submissions that have no response yet.
        unanswered: Those submissions alone.
    """

    most: int
    most_per_minute: int | None = None
    random_number: Callable[[], float] = random.random
    in_flight: int = field(init=False, default=0)
    unanswered: int = field(init=False, default=0)
    _free_again: deque[float] = field(init=False, factory=deque[float])
    _room: float = field(init=False)
    _pause: float = field(init=False, default=FIRST_PAUSE)
    _resumes_at: float = field(init=False, default=-math.inf)
    _slowed: bool = field(init=False, default=False)
    _trying: bool = field(init=False, default=False)

    def __attrs_post_init__(self) -> None:
        self._room = float(self.most)

    def wait(self, now: float, before: int = 0) -> float:
        """Return the seconds until one more may be sent after so many others; infinite until a response makes room."""
        unanswered = self.unanswered + before
        if self.in_flight + before >= int(self._room) or (self._slowed and unanswered):
            return math.inf
        return max(0.0, self._resumes_at - now, self._wait_for_the_minute(now, unanswered))

    def _wait_for_the_minute(self, now: float, unanswered: int) -> float:
        while self._free_again and self._free_again[0] <= now:
            self._free_again.popleft()
        if self.most_per_minute is None or unanswered + len(self._free_again) < self.most_per_minute:
            return 0.0
        return self._free_again[0] - now if self._free_again else math.inf

    def sent(self) -> None:
        """Count a submission that is on its way."""
        self.in_flight += 1
        self.unanswered += 1
        self._trying = self._slowed

    def answered(self, now: float) -> None:
        """Take in that a submission has its response, or will get none."""
        self.unanswered -= 1
        if self.most_per_minute is not None:
            self._free_again.append(now + MINUTE)

    def not_sent(self) -> None:
        """Take back a submission that has not left after all."""
        self.unanswered -= 1

    def resumed(self) -> None:
        """Count a task of an earlier run, which is in flight."""
        self.in_flight += 1

    def ended(self) -> None:
        """Take in that a task has ended, or was not begun."""
        self.in_flight -= 1

    def accepted(self) -> None:
        """Take in that the service takes submissions: it took one, or refused one for what it was."""
        if self._trying or not self._slowed:
            self._slowed = self._trying = False
            self._pause = FIRST_PAUSE
            self._room = min(float(self.most), self._room + GAIN)

    def refused(self, now: float, retry_after: float | None = None) -> None:
        """Slow down: a submission, which still counts as in flight, was refused for now or could not be sent."""
        if self._trying:
            self._trying = False
            self._pause = min(2 * self._pause, LONGEST_PAUSE)
            self._stop(now, self._pause)
        self.hindered(now, retry_after)

    def failed(self, now: float, error: Exception) -> None:
        """Take in the error of a submission that ended without a task."""
        if isinstance(error, UNSENT):
            self.not_sent()
        else:
            self.answered(now)
        if isinstance(error, TROUBLE):
            self.refused(now, getattr(error, "retry_after", None))
        elif not isinstance(error, UNSENT):
            self.accepted()
        self.ended()

    def hindered(self, now: float, retry_after: float | None = None) -> None:
        """Slow down: too many requests were made, so no more tasks either."""
        if not self._slowed:
            self._slowed = True
            self._room = max(1.0, CUT * min(self._room, self.in_flight))
            self._stop(now, self._pause)
        # What else was under way at the time is refused too, and says nothing new but this.
        self._stop(now, min(retry_after or 0.0, LONGEST_PAUSE))

    def _stop(self, now: float, seconds: float) -> None:
        # Never shorter than the service asks: the jitter only adds.
        self._resumes_at = max(self._resumes_at, now + seconds * (1 + JITTER * self.random_number()))
