"""How many outcomes of each kind were handed out, and how fast they come. Pure: the time is passed in."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from attrs import define, field

from .outcome import Progress

if TYPE_CHECKING:
    from .job import Job

# Tasks of about the same age end together, so a window holds several times what may be in flight.
ROUNDS = 4
FEWEST = 32


@define
class Tally:
    """Counts what is handed out. The rate is that of the last outcomes that took a request.

    Its window begins with the first request, for the first outcomes have taken their time, too.

    Attributes:
        most: What may be in flight at once.
    """

    most: int
    _done: int = field(init=False, default=0)
    _failed: int = field(init=False, default=0)
    _uncertain: int = field(init=False, default=0)
    _times: deque[float] = field(init=False)

    def __attrs_post_init__(self) -> None:
        self._times = deque(maxlen=1 + max(FEWEST, ROUNDS * self.most))

    def requested(self, now: float) -> None:
        """Count from now on: a request is made."""
        if not self._times:
            self._times.append(now)

    def handed_out(self, job: Job, now: float) -> None:
        """Count a job whose outcome is handed out."""
        self._done += 1
        if job.outcome is not None and job.outcome.error is not None:
            self._uncertain += job.outcome.uncertain
            self._failed += not job.outcome.uncertain
        if job.tries_end is not None or job.wait is not None:  # it was submitted or polled
            self._times.append(now)

    def progress(self, in_flight: int, total: int | None, cost: float | None = None) -> Progress:
        """Return how far the batch has got, with so many tasks in flight, so many inputs in all and this cost."""
        return Progress(self._done, self._failed, self._uncertain, in_flight, total, cost, self._rate())

    def _rate(self) -> float | None:
        if len(self._times) < 2 or self._times[0] == self._times[-1]:
            return None
        return (len(self._times) - 1) / (self._times[-1] - self._times[0])
