"""A task as plain data, and the statuses that end it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, TypeGuard

from attrs import field, frozen

if TYPE_CHECKING:
    from datetime import datetime

# Any other status, even an unknown one, means that the task is still running.
FINAL_STATUSES = frozenset({"completed", "failed", "cancelled", "timeout", "deleted"})
UNKNOWN_STATUS = "unknown"

_ID = re.compile(r"[A-Za-z0-9_-]{1,128}")
_URL = re.compile(r"https?://[^\s/?#]+(?:[/?#][^\x00-\x1f\x7f]*)?", re.IGNORECASE)


@frozen
class Task:
    """A task as it was last seen: plain data that can be pickled, compared and kept. No client inside.

    Attributes:
        id: The task's id.
        model: The model's id as the service names it, which may differ from the one submitted to.
        status: created, processing, completed, failed, ...; an unknown one means that it is still running.
        outputs: URLs, text, base64 data or objects, in the model's order. Empty until completed. The service keeps the
            files behind the URLs for 7 days.
        error: Why it failed.
        code: The task's result code, 0 when all is well.
        url: The task's own URL, as the service names it.
        created_at: When it was submitted, in UTC.
        inference_ms: The model's running time in milliseconds.
        raw: The data of the response, unchanged and complete.
    """

    id: str
    model: str
    status: str
    outputs: tuple[str | dict[str, Any], ...] = ()
    error: str | None = None
    code: int | None = None
    url: str | None = None
    created_at: datetime | None = None
    inference_ms: float | None = None
    raw: dict[str, Any] = field(factory=dict[str, Any], eq=False, repr=False)

    def __hash__(self) -> int:
        return hash(self.id)

    @property
    def done(self) -> bool:
        """Whether the task has ended, with success or without."""
        return self.status in FINAL_STATUSES

    @property
    def succeeded(self) -> bool:
        """Whether the task has completed and has its outputs."""
        return self.status == "completed"

    @property
    def urls(self) -> tuple[str, ...]:
        """The outputs that are http(s) URLs, in their order."""
        return tuple(output.strip() for output in self.outputs if is_url(output))

    def _repr_html_(self) -> str:
        """Show the task and its outputs in a notebook. Python itself fetches nothing."""
        from .media.html import task_html

        return task_html(self)


def is_task_id(value: object) -> TypeGuard[str]:
    """Return whether a value can be a task's id."""
    return isinstance(value, str) and _ID.fullmatch(value) is not None


def is_url(output: object) -> TypeGuard[str]:
    """Return whether an output is an http(s) URL."""
    return isinstance(output, str) and _URL.fullmatch(output.strip()) is not None
