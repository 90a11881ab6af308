"""Arrangements: what a test wants the stand-in to do in place of what the service would."""

from __future__ import annotations

import threading
from collections import defaultdict, deque
from typing import TYPE_CHECKING, Literal, get_args

from attrs import define, field, frozen

if TYPE_CHECKING:
    from .wire import Answer

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
    """What becomes of one answer.

    Attributes:
        answer: What is answered; None when the answer is lost on its way.
        headers: Headers of the answer.
    """

    answer: Answer | None
    headers: dict[str, str] = field(factory=dict[str, str])

    @property
    def is_dropped(self) -> bool:
        """Whether the answer is lost."""
        return self.answer is None


@define
class Arrangements:
    """The answers that were arranged for each kind of request, in order, and how late every answer is."""

    _waiting: defaultdict[str, deque[tuple[Arranged, int]]] = field(init=False, factory=lambda: defaultdict(deque))
    _delays: dict[Kind, float] = field(init=False, factory=dict["Kind", float])

    def add(self, kind: Kind, arranged: Arranged, times: int) -> None:
        """Use an arranged answer for the next requests of a kind.

        Raises:
            ValueError: There is no such kind, or no such number of times.
        """
        _check_kind(kind)
        checked_count(times, "times", 1)
        self._waiting[kind].append((arranged, times))

    def take(self, kind: Kind) -> Arranged | None:
        """The arranged answer for a request of this kind, if there is one."""
        waiting = self._waiting[kind]
        if not waiting:
            return None
        arranged, times = waiting.popleft()
        if times > 1:
            waiting.appendleft((arranged, times - 1))
        return arranged

    def set_delay(self, seconds: float, kind: Kind | None) -> None:
        """Make every answer to this kind of requests that late; None: to all kinds.

        Raises:
            ValueError: There is no such kind, or the seconds are negative.
        """
        if not isinstance(seconds, int | float) or not 0 <= seconds <= threading.TIMEOUT_MAX:  # pyright: ignore[reportUnnecessaryIsInstance] # callers without a type checker
            raise ValueError(f"seconds must be a number, 0 or more, not {seconds!r}.")
        if kind is not None:
            _check_kind(kind)
        for one in get_args(Kind) if kind is None else (kind,):
            self._delays[one] = seconds

    def delay(self, kind: Kind) -> float:
        """Seconds by which the answer to a request of this kind is late."""
        return self._delays.get(kind, 0.0)

    def clear(self) -> None:
        """Forget all of them."""
        self._waiting.clear()
        self._delays.clear()


def checked_status(status: int, lowest: int) -> int:
    """The status, if an answer can have it.

    Raises:
        ValueError: It cannot.
    """
    if not isinstance(status, int) or not lowest <= status <= 599:  # pyright: ignore[reportUnnecessaryIsInstance] # callers without a type checker
        raise ValueError(f"status must be an HTTP status from {lowest} to 599, not {status!r}.")
    return status


def checked_count(count: int, name: str, lowest: int) -> int:
    """The number, if it is a whole one that is large enough.

    Raises:
        ValueError: It is not.
    """
    if not isinstance(count, int) or isinstance(count, bool) or count < lowest:  # pyright: ignore[reportUnnecessaryIsInstance] # callers without a type checker
        raise ValueError(f"{name} must be a whole number, {lowest} or more, not {count!r}.")
    return count


def checked_text(text: str, name: str) -> str:
    """Return the text, if it is one.

    Raises:
        ValueError: It is not.
    """
    if not isinstance(text, str):  # pyright: ignore[reportUnnecessaryIsInstance] # callers without a type checker
        raise ValueError(f"{name} must be text, not {text!r}.")
    return text


def _check_kind(kind: str) -> None:
    if kind not in get_args(Kind):
        raise ValueError(f"{kind!r} is no kind of request; these are: {', '.join(get_args(Kind))}.")
