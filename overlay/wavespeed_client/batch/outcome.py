"""What a batch tells: the outcome of each input, and how far it has got."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, cast

from attrs import frozen

from ..errors import SubmissionUncertainError

if TYPE_CHECKING:
    from collections.abc import Generator

    from ..errors import WaveSpeedError
    from ..task import Task


@frozen
class Outcome:
    """What became of one input of a batch.

    Attributes:
        index: The input's place among the inputs, from 0.
        input: The input as it was sent; what was given instead, if it could not be one.
        task: The task as it was last seen; None if none was started, or if that is not known.
        error: Why there is no completed task: what `run` would have raised. None when all is well.
    """

    index: int
    input: Any
    task: Task | None
    error: WaveSpeedError | None

    @property
    def uncertain(self) -> bool:
        """Whether the task may be running and billed although its id is not known: see `find_submissions`."""
        return isinstance(self.error, SubmissionUncertainError)

    def result(self) -> Task:
        """Return the completed task.

        Raises:
            WaveSpeedError: There is none: the outcome's error.
        """
        if self.error is not None:
            raise self.error.with_traceback(None)  # each time anew, not with the frames of the time before
        return cast("Task", self.task)

    def _repr_html_(self) -> str:
        """Show the outcome and its task in a notebook. Nothing is fetched from Python."""
        from ..media.html import outcome_html

        return outcome_html(self)


@frozen
class Progress:
    """How far a batch has got.

    Attributes:
        done: Inputs whose outcome was handed out, of whatever kind.
        failed: Those among them that have an error, without the uncertain ones.
        uncertain: Those among them whose task may have been started.
        in_flight: Tasks that run, with the submissions that are not answered yet.
        total: All inputs; None if the iterable does not tell its length.
        cost: What was quoted, in USD, for all tasks in the journal and of this run, but for those that were not started
            or have failed. None without `max_cost` and `budget`. What was paid in the end is told by `billings`.
        rate: Outcomes a second of late, without those that took no request; None until there are some.
        seconds_left: Seconds until all are done, if it goes on like that; None while that or the total is not known.
    """

    done: int = 0
    failed: int = 0
    uncertain: int = 0
    in_flight: int = 0
    total: int | None = None
    cost: float | None = None
    rate: float | None = None

    @property
    def seconds_left(self) -> float | None:
        if self.total is None or (self.rate is None and self.done < self.total):
            return None
        return max(0, self.total - self.done) / (self.rate or 1.0)


@contextmanager
def delivered(outcome: Outcome) -> Generator[None]:
    """Add the outcome's task to an error of on_progress, which is the caller's own, so that it is not lost."""
    try:
        yield
    except BaseException as error:
        task = f"task {outcome.task.id}" if outcome.task else repr(outcome.error)
        error.add_note(f"The outcome of input {outcome.index} was not handed out: {task}")
        raise
