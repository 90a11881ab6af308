"""Arrangements: responses and delays that a test sets in place of the service's behaviour."""

from __future__ import annotations

import threading
from collections import defaultdict, deque
from typing import TYPE_CHECKING, Literal, get_args

from attrs import define, field

from ..errors import InvalidInputError
from .arguments import checked, checked_count

if TYPE_CHECKING:
    from .wire import Response

Kind = Literal[
    "submit",
    "poll",
    "list",
    "delete",
    "upload",
    "binary",
    "models",
    "price",
    "balance",
    "usage",
    "billings",
    "secret",
    "storage",
    "download",
]


@define
class Arranged:
    """A response to the next requests of a kind.

    Attributes:
        response: The response; None to drop the connection instead.
        times: For how many more requests it is.
    """

    response: Response | None
    times: int


@define
class Arrangements:
    """Arranged responses for each kind of request, in order, and delays."""

    _waiting: defaultdict[str, deque[Arranged]] = field(init=False, factory=lambda: defaultdict(deque))
    _delays: dict[Kind, float] = field(init=False, factory=dict["Kind", float])

    def add(self, kind: Kind, response: Response | None, times: int) -> None:
        """Arrange the response to the next requests of a kind; None drops the connection instead.

        Raises:
            ValueError: The kind is unknown, or `times` is not a positive integer.
        """
        _check_kind(kind)
        self._waiting[kind].append(Arranged(response, checked_count(times, "times", 1)))

    def take(self, kind: Kind) -> Arranged | None:
        """Take what is arranged for the next request of a kind; None if nothing is."""
        waiting = self._waiting[kind]
        if not waiting:
            return None
        waiting[0].times -= 1
        return waiting[0] if waiting[0].times else waiting.popleft()

    def set_delay(self, seconds: float, kind: Kind | None) -> None:
        """Delay all responses to a kind of request. None means every kind.

        Raises:
            ValueError: The kind is unknown, or the seconds are not a number, 0 or more.
        """
        checked(seconds, "seconds", int | float, "a number, 0 or more", highest=threading.TIMEOUT_MAX)
        if kind is not None:
            _check_kind(kind)
        self._delays |= dict.fromkeys(get_args(Kind) if kind is None else (kind,), seconds)

    def delay(self, kind: Kind) -> float:
        """Return the delay of responses to a kind of request, in seconds."""
        return self._delays.get(kind, 0.0)

    def clear(self) -> None:
        """Remove all arrangements and delays."""
        self._waiting.clear()
        self._delays.clear()


def _check_kind(kind: str) -> None:
    if kind not in get_args(Kind):
        raise InvalidInputError(f"{kind!r} is not a kind of request. Use one of: {', '.join(get_args(Kind))}.")
