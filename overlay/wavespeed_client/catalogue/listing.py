"""The rows of a list in a response: one that is odd never loses the others."""

from __future__ import annotations

import logging
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast

from attrs import frozen

from ..log import log
from .values import mapping

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")


@frozen
class Page(Generic[T]):
    """The rows of a page, or of a whole list.

    Attributes:
        items: The rows that can be read.
        size: How many the service gave, with those that cannot.
    """

    items: list[T]
    size: int

    @classmethod
    def of(cls, rows: object, read: Callable[[dict[str, Any]], T], number: int = 1) -> Page[T]:
        """Read the rows of the page of this number as `readable` does; None is an empty page.

        Raises:
            TypeError: It is no list; or it is the first page and no row of it can be read, so that it must not pass for
                an empty list. A later page of such rows is left out like one row, for it must not lose those before.
        """
        if not isinstance(rows, list | None):
            raise TypeError("it is no list")
        given = cast("list[object]", rows or [])
        items = readable(given, read)
        if given and not items and number == 1:
            raise TypeError("no row of the list can be read")
        return cls(items, len(given))


def readable(rows: list[object], read: Callable[[dict[str, Any]], T]) -> list[T]:
    """Return what the rows hold. One that cannot be read is left out, with a warning in the log."""
    found: list[T] = []
    for row in rows:
        with suppress(TypeError, ValueError, KeyError):
            found.append(read(mapping(row) or {}))
    if len(found) < len(rows):
        odd = len(rows) - len(found)
        log(logging.WARNING, "%d of %d rows of a list cannot be read and are left out.", odd, len(rows))
    return found


def part(rows: object, read: Callable[[dict[str, Any]], T]) -> tuple[T, ...] | None:
    """Return the rows of a list within a response; None where there is none."""
    return tuple(readable(cast("list[object]", rows), read)) if isinstance(rows, list) else None
