"""The outcome of each input of a batch, and the batch's progress."""

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
    """The outcome of one input of a batch.

    Attributes:
        index: The input's position in the batch, from 0.
        input: A copy of the input; the object itself if it was not a valid input.
        task: The task as it was last seen; None if none was started, or if it is not known.
        error: The error that `run` would have raised; None if the task is completed.
    """

    index: int
    input: Any
    task: Task | None
    error: WaveSpeedError | None

    @property
    def uncertain(self) -> bool:
        """Whether a task may have been started and billed without a response: see `find_submissions`."""
        return isinstance(self.error, SubmissionUncertainError)

    def result(self) -> Task:
        """Return the completed task.

        Raises:
            WaveSpeedError: The outcome's error, if there is one.
        """
        if self.error is not None:
            raise self.error.with_traceback(None)  # without the frames of an earlier call
        return cast("Task", self.task)

    def _repr_html_(self) -> str:
        """Show the outcome and its task in a notebook. Nothing is fetched from Python."""
        from ..media.html import outcome_html

        return outcome_html(self)


@frozen
class Progress:
    """The progress of a batch.

    Attributes:
        done: Number of outcomes that were yielded, with or without an error.
        failed: Number of those with an error, except the uncertain ones.
        uncertain: Number of those whose task may have been started.
        in_flight: Number of running tasks, and of submissions without a response yet.
        total: Number of inputs; None if the iterable has no length.
        cost: Sum of the prices quoted for the tasks of this run and of its journal, in USD, without tasks that were not
            started or have failed. None without `max_cost` and `budget`. `billings` has the amounts that were deducted.
        rate: Recent outcomes per second, without those that took no request; None until there are enough.
        seconds_left: Estimated seconds until the end; None while `rate` or `total` is None.
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
    """Add the outcome's task to an error of `on_progress`, so that the caller does not lose the task."""
    try:
        yield
    except BaseException as error:
        task = f"task {outcome.task.id}" if outcome.task else repr(outcome.error)
        error.add_note(f"The outcome of input {outcome.index} was not yielded: {task}")
        raise
