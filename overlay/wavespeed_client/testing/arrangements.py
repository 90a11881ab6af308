"""Arrangements: responses and delays that a test sets in place of the service's behaviour."""

from __future__ import annotations

import threading
from collections import defaultdict, deque
from typing import TYPE_CHECKING, Literal, get_args

from attrs import define, field, frozen

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


@frozen
class Arranged:
    """One arranged response.

    Attributes:
        response: The response; None to drop the connection instead.
        headers: Additional headers of the response.
    """

    response: Response | None
    headers: dict[str, str] = field(factory=dict[str, str])

    @property
    def is_dropped(self) -> bool:
        """Whether the connection is dropped instead of a response."""
        return self.response is None


@define
class Arrangements:
    """Arranged responses for each kind of request, in order, and delays."""

    _waiting: defaultdict[str, deque[tuple[Arranged, int]]] = field(init=False, factory=lambda: defaultdict(deque))
    _delays: dict[Kind, float] = field(init=False, factory=dict["Kind", float])

    def add(self, kind: Kind, arranged: Arranged, times: int) -> None:
        """Arrange the response to the next requests of a kind.

        Raises:
            ValueError: The kind is unknown, or `times` is not a positive integer.
        """
        _check_kind(kind)
        checked_count(times, "times", 1)
        self._waiting[kind].append((arranged, times))

    def take(self, kind: Kind) -> Arranged | None:
        """Take the arranged response for the next request of a kind; None if there is none."""
        waiting = self._waiting[kind]
        if not waiting:
            return None
        arranged, times = waiting.popleft()
        if times > 1:
            waiting.appendleft((arranged, times - 1))
        return arranged

    def set_delay(self, seconds: float, kind: Kind | None) -> None:
        """Delay all responses to a kind of request. None means every kind.

        Raises:
            ValueError: The kind is unknown, or the seconds are negative.
        """
        if not isinstance(seconds, int | float) or not 0 <= seconds <= threading.TIMEOUT_MAX:  # pyright: ignore[reportUnnecessaryIsInstance] # callers without a type checker
            raise ValueError(f"seconds must be a number, 0 or more, not {seconds!r}.")
        if kind is not None:
            _check_kind(kind)
        for one in get_args(Kind) if kind is None else (kind,):
            self._delays[one] = seconds

    def delay(self, kind: Kind) -> float:
        """Return the delay of responses to a kind of request, in seconds."""
        return self._delays.get(kind, 0.0)

    def clear(self) -> None:
        """Remove all arrangements and delays."""
        self._waiting.clear()
        self._delays.clear()


def checked_status(status: int, lowest: int) -> int:
    """Check an HTTP status, and return it.

    Raises:
        ValueError: It is not an integer from `lowest` to 599.
    """
    if not isinstance(status, int) or not lowest <= status <= 599:  # pyright: ignore[reportUnnecessaryIsInstance] # callers without a type checker
        raise ValueError(f"status must be an HTTP status from {lowest} to 599, not {status!r}.")
    return status


def checked_count(count: int, name: str, lowest: int) -> int:
    """Check an integer argument, and return it.

    Raises:
        ValueError: It is not an integer, or less than `lowest`.
    """
    if not isinstance(count, int) or isinstance(count, bool) or count < lowest:  # pyright: ignore[reportUnnecessaryIsInstance] # callers without a type checker
        raise ValueError(f"{name} must be a whole number, {lowest} or more, not {count!r}.")
    return count


def checked_text(text: str, name: str) -> str:
    """Check a text argument, and return it.

    Raises:
        ValueError: It is not a string.
    """
    if not isinstance(text, str):  # pyright: ignore[reportUnnecessaryIsInstance] # callers without a type checker
        raise ValueError(f"{name} must be a string, not {text!r}.")
    return text


def _check_kind(kind: str) -> None:
    if kind not in get_args(Kind):
        raise ValueError(f"{kind!r} is not a kind of request. Use one of: {', '.join(get_args(Kind))}.")
