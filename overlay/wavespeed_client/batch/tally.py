"""Count the outcomes of each kind, and measure their rate. Pure: the time is passed in."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from attrs import define, field

from .outcome import Progress

if TYPE_CHECKING:
    from .job import Job

# Tasks that were started together end together, so a window must hold several times `max_in_flight` outcomes.
ROUNDS = 4
FEWEST = 32


@define
class Tally:
    """Counts of outcomes. The rate is that of the latest outcomes that took a request.

    The first window begins with the first request, so that the duration of the first tasks counts, too.

    Attributes:
        most: The highest number of tasks in flight.
    """

    most: int
    _done: int = field(init=False, default=0)
    _failed: int = field(init=False, default=0)
    _uncertain: int = field(init=False, default=0)
    _times: deque[float] = field(init=False)

    def __attrs_post_init__(self) -> None:
        self._times = deque(maxlen=1 + max(FEWEST, ROUNDS * self.most))

    def requested(self, now: float) -> None:
        """Begin the window, if this is the first request."""
        if not self._times:
            self._times.append(now)

    def handed_out(self, job: Job, now: float) -> None:
        """Count a job's outcome."""
        self._done += 1
        if job.outcome is not None and job.outcome.error is not None:
            self._uncertain += job.outcome.uncertain
            self._failed += not job.outcome.uncertain
        if job.tries_end is not None or job.wait is not None:  # it was submitted or polled
            self._times.append(now)

    def progress(self, in_flight: int, total: int | None, cost: float | None = None) -> Progress:
        """Return the progress, with this number of tasks in flight, total of inputs and cost."""
        return Progress(self._done, self._failed, self._uncertain, in_flight, total, cost, self._rate())

    def _rate(self) -> float | None:
        if len(self._times) < 2 or self._times[0] == self._times[-1]:
            return None
        return (len(self._times) - 1) / (self._times[-1] - self._times[0])
