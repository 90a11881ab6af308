"""What a batch says in the log: what nobody would know of otherwise."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ..errors import SubmissionUncertainError, WaveSpeedError
    from ..task import Task
    from .job import Job

logger = logging.getLogger("wavespeed_client")


def began_after_all(task: Task) -> None:
    """A submission was answered when nobody waited for it any more."""
    logger.warning("Task %s of a batch that was left began after all: wait for it by its id.", task.id)


def not_looked_for(error: SubmissionUncertainError, trouble: WaveSpeedError) -> None:
    """The service did not tell what it has."""
    message = "What a submission to %s without a response has started could not be looked for: %s"
    logger.warning(message, error.model, trouble)


def left(model: str, jobs: Sequence[Job], is_told: bool) -> None:
    """A batch has ended with these jobs: of their tasks, those count that a journal does not tell."""
    not_handed_out(job.wait.task for job in jobs if job.wait is not None and (job.reserved or not is_told))
    unanswered(model, sum(job.sent for job in jobs))


def not_handed_out(tasks: Iterable[Task]) -> None:
    """A batch has ended before these tasks were handed out."""
    ids = [task.id for task in tasks]
    if ids:
        logger.warning("A batch ended before these tasks were handed out. Wait for them by id: %s", " ".join(ids))


def unanswered(model: str, count: int) -> None:
    """A batch has ended with so many submissions under way."""
    if count:
        logger.warning(
            "A batch for %s was left with %d submissions unanswered. They may have been taken: look with tasks() "
            "before you submit those inputs again.",
            model,
            count,
        )
