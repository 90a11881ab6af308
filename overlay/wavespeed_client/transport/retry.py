"""Decide which requests are sent again, and when: httpx-retries with our own policy."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Self

from httpx_retries import Retry

from .submission import UNSENT

if TYPE_CHECKING:
    import httpx

    from ..clock import Deadline
    from .context import Context

BACKOFF_SECONDS = 0.25
LONGEST_PAUSE_SECONDS = 60.0

# Some servers send fractions, which the standard does not allow.
_SECONDS = re.compile(r"[0-9]{1,9}(\.[0-9]+)?")


class Policy(Retry):
    """The backoff of httpx-retries, limited by the deadline of the call."""

    deadline: Deadline | None = None

    def changed(self, **attributes: object) -> Self:
        """Return a copy with other attributes, without the checks that httpx-retries makes for each new policy."""
        copy = object.__new__(type(self))
        copy.__dict__.update(self.__dict__, **attributes)
        return copy

    def increment(self) -> Retry:
        return self.changed(attempts_made=self.attempts_made + 1)

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
        return self.deadline.left() if self.deadline else math.inf


# A submission is sent again only if the service certainly did not accept it: each task is paid for.
SUBMISSIONS = Policy(allowed_methods=["GET", "POST"], status_forcelist=[429], retry_on_exceptions=UNSENT)
READS = Policy(allowed_methods=["GET", "POST"], status_forcelist=[429, 500, 502, 503, 504])


def policy_for(context: Context, *, submission: bool, max_retries: int) -> Policy:
    """Return the policy for a request."""
    return (SUBMISSIONS if submission else READS).changed(
        deadline=context.deadline,
        total=max_retries if context.tries is None else context.tries - 1,
        backoff_factor=BACKOFF_SECONDS,
        max_backoff_wait=LONGEST_PAUSE_SECONDS,
    )


def retry_after(response: httpx.Response) -> float | None:
    """Return the seconds that a response asks to wait; None if it has no readable `Retry-After`."""
    try:
        return READS.parse_retry_after(response.headers["Retry-After"])
    except (KeyError, ValueError, OverflowError):
        return None
