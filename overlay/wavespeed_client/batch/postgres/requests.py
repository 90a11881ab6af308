"""Requests to the database. Those of one kind that wait are carried out together, most of them by one statement."""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, TypeVar

from attrs import define, field, frozen

from ..journal import Entry

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ..journal import Item, Note
    from .statements import Connection

T = TypeVar("T")


class Request(Generic[T]):
    """A request whose response is a T."""


@define(eq=False)
class Look(Request[Entry]):
    """Return the entry of an input. Record the input if it is new; let it adopt a task that was found for it.

    Attributes:
        item: The input.
        key: Its key; empty until the first try. Further tries need the same key.
    """

    item: Item
    key: bytes = field(init=False, default=b"")


@define(eq=False)
class Claim(Request[Entry]):
    """Claim an input for submission. Return its new entry; if that has `look_again`, another run has the input.

    Attributes:
        entry: The input's entry, with the price that was quoted.
        attempt: The number of the attempt; 0 until the input is claimed.
    """

    entry: Entry
    attempt: int = field(init=False, default=0)


@frozen
class Release(Request[None]):
    """Release a claim that was requested earlier: the input is not sent."""

    claim: Claim


@frozen
class Record(Request[None]):
    """Record events. Of several for one input, the last one counts. Those of an outdated attempt are not recorded."""

    notes: Sequence[Note]


@frozen
class Alone(Request[T]):
    """Execute a statement for this request alone. Return its result."""

    statement: Callable[[Connection, int], T]
