"""Errors of commands: exit codes, messages and JSON.

0 success; 1 error; 2 usage or configuration; 3 task failed; 4 wait timed out; 5 too expensive; 6 uncertain whether a
task was started; 130 interrupted.
"""

from __future__ import annotations

from typing import Any

from ..errors import (
    APIError,
    ConfigurationError,
    CostLimitError,
    InvalidInputError,
    SubmissionUncertainError,
    TaskFailedError,
    TaskTimeoutError,
    WaveSpeedError,
)
from .records import task_record

ERROR, USAGE, FAILED, TIMED_OUT, TOO_EXPENSIVE, UNCERTAIN, INTERRUPTED = 1, 2, 3, 4, 5, 6, 130

_CODES: tuple[tuple[type[WaveSpeedError], int], ...] = (
    (ConfigurationError, USAGE),
    (InvalidInputError, USAGE),
    (TaskFailedError, FAILED),
    (TaskTimeoutError, TIMED_OUT),
    (CostLimitError, TOO_EXPENSIVE),
    (SubmissionUncertainError, UNCERTAIN),
)


def exit_code(error: BaseException) -> int:
    """Return the exit code for an error."""
    return next((code for kind, code in _CODES if isinstance(error, kind)), ERROR)


def message_of(error: BaseException) -> str:
    """Return an error's message with its notes."""
    return "\n".join([str(error) or type(error).__name__, *getattr(error, "__notes__", ())])


def error_record(error: BaseException) -> dict[str, Any]:
    """Return an error as a JSON object."""
    record: dict[str, Any] = {"type": type(error).__name__, "message": message_of(error), "exit_code": exit_code(error)}
    if isinstance(error, APIError):
        record |= {"status_code": error.status_code, "code": error.code}
    if isinstance(error, SubmissionUncertainError):
        record |= {"task_id": error.task_id, "submitted_at": error.submitted_at.isoformat()}
    if isinstance(error, WaveSpeedError) and error.task is not None:
        record["task"] = task_record(error.task)
    return record


def advice(error: BaseException) -> list[str]:
    """Return the commands that help after an error."""
    if isinstance(error, TaskTimeoutError):
        return [f"To wait again: wavespeed-client wait {error.task.id}"]
    if isinstance(error, SubmissionUncertainError):
        if error.task_id is not None:
            return [f"To see the task: wavespeed-client get {error.task_id}"]
        return [f"To check before you pay again: wavespeed-client list --model {error.model}"]
    if isinstance(error, WaveSpeedError) and error.task is not None and error.task.succeeded:
        return [f"To download its outputs within 7 days: wavespeed-client download {error.task.id}"]
    return []
