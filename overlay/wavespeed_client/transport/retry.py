"""Decide which requests are sent again, and when: httpx-retries with our own policy."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from httpx_retries import Retry

from .submission import UNSENT

if TYPE_CHECKING:
    import httpx

    from ..clock import Deadline
    from .context import Context

BACKOFF_SECONDS = 0.25
LONGEST_PAUSE_SECONDS = 60.0

RETRIED_STATUSES = (429, 500, 502, 503, 504)


# Some servers send fractions, which the standard does not allow.
_SECONDS = re.compile(r"[0-9]{1,9}(\.[0-9]+)?")


class Policy(Retry):
    """The backoff of httpx-retries, limited by the deadline of the call."""

    def __init__(self, *, deadline: Deadline | None = None, **options: Any) -> None:
        super().__init__(**options)
        self._deadline = deadline

    def increment(self) -> Retry:
        following = super().increment()
        if isinstance(following, Policy):
            following._deadline = self._deadline
        return following

    def backoff_strategy(self) -> float:
        return min(super().backoff_strategy(), self._left())

    def parse_retry_after(self, retry_after: str) -> float:
        text = retry_after.strip()
        try:
            seconds = float(text) if _SECONDS.fullmatch(text) else super().parse_retry_after(text)
            return min(seconds, self._left())
        except OverflowError:  # a date beyond the calendar
            raise ValueError(f"Invalid Retry-After header: {retry_after}") from None

    def is_exhausted(self) -> bool:
        return super().is_exhausted() or not self._left()

    def _left(self) -> float:
        return self._deadline.left() if self._deadline else float("inf")


def policy_for(context: Context, *, submission: bool, max_retries: int) -> Policy:
    """Return the policy for a request.

    A submission is sent again only if the service certainly did not take it: each task is paid for.
    """
    return Policy(
        deadline=context.deadline,
        total=max_retries if context.tries is None else context.tries - 1,
        allowed_methods=["GET", "POST"],
        # Never an empty list: the library would use its own statuses.
        status_forcelist=[429] if submission else RETRIED_STATUSES,
        retry_on_exceptions=UNSENT if submission else Retry.RETRYABLE_EXCEPTIONS,
        backoff_factor=BACKOFF_SECONDS,
        max_backoff_wait=LONGEST_PAUSE_SECONDS,
    )


def retry_after(response: httpx.Response) -> float | None:
    """Return the seconds that a response asks to wait; None if it has no readable `Retry-After`."""
    try:
        return Policy().parse_retry_after(response.headers["Retry-After"])
    except (KeyError, ValueError, OverflowError):
        return None
