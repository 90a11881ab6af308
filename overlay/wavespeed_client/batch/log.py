"""Log the tasks and submissions of a batch that are recorded nowhere else."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from ..errors import SubmissionUncertainError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..errors import WaveSpeedError
    from ..task import Task
    from .job import Job

logger = logging.getLogger("wavespeed_client")


def began_after_all(task: Task) -> None:
    """Warn about a task whose response came after its batch had ended."""
    logger.warning("Task %s was started, but its batch had already ended: wait for it by its id.", task.id)


def not_looked_for(error: SubmissionUncertainError, trouble: WaveSpeedError) -> None:
    """Warn that the task of an uncertain submission could not be looked for."""
    logger.warning("The task of an uncertain submission to %s could not be looked for: %s", error.model, trouble)


def left(model: str, jobs: Sequence[Job], is_recorded: bool) -> None:
    """Warn, at the end of a batch, about tasks that its journal lacks and submissions without a response."""
    ids = [job.wait.task.id for job in jobs if job.wait is not None and (job.reserved or not is_recorded)]
    if ids:
        logger.warning("A batch ended before it yielded these tasks. Wait for them by id: %s", " ".join(ids))
    errors = [job.outcome.error if job.outcome is not None else None for job in jobs if job.sent]
    if errors:
        uncertain = [error for error in errors if isinstance(error, SubmissionUncertainError)]
        known = " ".join(error.task_id for error in uncertain if error.task_id)
        logger.warning(
            "A batch for %s ended with %d submissions that got no response. Their tasks may have been started: look "
            "with tasks() before you submit those inputs again.%s",
            model,
            len(errors),
            f" Probably started: {known}" if known else "",
        )
