# Generated from spec/openapi.yaml by scripts/regenerate.py. Do not edit.
from typing import Literal

TaskStatus = Literal[
    "cancelled", "completed", "created", "deleted", "failed", "pending", "processing", "timeout"
]

TASK_STATUS_VALUES: set[TaskStatus] = {
    "cancelled",
    "completed",
    "created",
    "deleted",
    "failed",
    "pending",
    "processing",
    "timeout",
}


def check_task_status(value: str) -> TaskStatus:
    if value in TASK_STATUS_VALUES:
        return value
    raise TypeError(f"Unexpected value {value!r}. Expected one of {TASK_STATUS_VALUES!r}")
