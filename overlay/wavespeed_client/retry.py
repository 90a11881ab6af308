"""What may be sent again, and when: httpx-retries' mechanics with our policy."""

from __future__ import annotations

import math

import httpx
from httpx_retries import Retry

from .call import current_call

BACKOFF_SECONDS = 0.25
LONGEST_PAUSE_SECONDS = 60.0

RETRIED_STATUSES = (429, 500, 502, 503, 504)
# Without a connection nothing can have arrived.
NOT_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)


class Policy(Retry):
    """httpx-retries' back-off, cut to the deadline of the call that it serves."""

    def backoff_strategy(self) -> float:
        return min(super().backoff_strategy(), seconds_left())

    def parse_retry_after(self, retry_after: str) -> float:
        try:
            return min(super().parse_retry_after(retry_after), seconds_left())
        except OverflowError:  # a date beyond the calendar
            raise ValueError(f"Invalid Retry-After header: {retry_after}") from None

    def is_exhausted(self) -> bool:
        return super().is_exhausted() or not seconds_left()


def policy_for(*, submission: bool, max_retries: int) -> Policy:
    """The policy for a request. A submission is sent again only if it certainly was not taken: each one is paid for."""
    return Policy(
        total=max_retries,
        allowed_methods=["GET", "POST"],
        # An empty list would mean the library's own.
        status_forcelist=[429] if submission else RETRIED_STATUSES,
        retry_on_exceptions=NOT_SENT if submission else Retry.RETRYABLE_EXCEPTIONS,
        backoff_factor=BACKOFF_SECONDS,
        max_backoff_wait=LONGEST_PAUSE_SECONDS,
    )


def retry_after(response: httpx.Response) -> float | None:
    """Seconds that an answer asks to wait, if it says so in a way that can be read."""
    try:
        return Retry().parse_retry_after(response.headers["Retry-After"])
    except (KeyError, ValueError, OverflowError):
        return None


def seconds_left() -> float:
    """Seconds that the current call has; without end outside of one."""
    call = current_call()
    return call.deadline.left() if call and call.deadline else math.inf
