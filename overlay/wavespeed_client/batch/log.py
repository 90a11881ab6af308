"""What a batch says in the log: tasks and submissions that are found nowhere else."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from ..errors import SubmissionUncertainError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ..errors import WaveSpeedError
    from ..task import Task
    from .job import Job

logger = logging.getLogger("wavespeed_client")


def began_after_all(task: Task) -> None:
    """Warn of a task whose submission was answered after its batch was left."""
    logger.warning("Task %s of a batch that was left began after all: wait for it by its id.", task.id)


def not_looked_for(error: SubmissionUncertainError, trouble: WaveSpeedError) -> None:
    """Warn that the service did not tell what a submission has started."""
    message = "What a submission to %s without a response has started could not be looked for: %s"
    logger.warning(message, error.model, trouble)


def left(model: str, jobs: Sequence[Job], is_told: bool) -> None:
    """Warn of what a batch that has ended leaves behind: tasks that its journal does not tell, and submissions."""
    not_handed_out(job.wait.task for job in jobs if job.wait is not None and (job.reserved or not is_told))
    doubts = [job.outcome.error if job.outcome is not None else None for job in jobs if job.sent]
    unanswered(model, len(doubts), [error.task_id for error in doubts if isinstance(error, SubmissionUncertainError)])


def not_handed_out(tasks: Iterable[Task]) -> None:
    """Warn of tasks that were not handed out."""
    ids = [task.id for task in tasks]
    if ids:
        logger.warning("A batch ended before these tasks were handed out. Wait for them by id: %s", " ".join(ids))


def unanswered(model: str, count: int, ids: Iterable[str | None]) -> None:
    """Warn of submissions that have no response, and of the tasks that they probably started."""
    if count:
        known = " ".join(id for id in ids if id)
        logger.warning(
            "A batch for %s was left with %d submissions unanswered. They may have been taken: look with tasks() "
            "before you submit those inputs again.%s",
            model,
            count,
            f" Probably started: {known}" if known else "",
        )
