"""Read the rows of a list in a response. An unreadable row never loses the others."""

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
        size: The number of rows that the service sent, including unreadable ones.
    """

    items: list[T]
    size: int

    @classmethod
    def within(cls, data: dict[str, Any], read: Callable[[dict[str, Any]], T], number: int) -> Page[T]:
        """Read the page of this number in the data of a response; see `of`."""
        return cls.of(data["items"], read, number)

    @classmethod
    def of(cls, rows: object, read: Callable[[dict[str, Any]], T], number: int = 1) -> Page[T]:
        """Read the rows of a page; None is an empty page. Unreadable rows are left out, with a warning in the log.

        Raises:
            TypeError: It is not a list; or it is the first page and no row can be read, which must not look like an
                empty list. A later page without readable rows does not raise, so that earlier pages are not lost.
        """
        if not isinstance(rows, list | None):
            raise TypeError("it is not a list")
        given = cast("list[object]", rows or [])
        items = readable(given, read)
        if given and not items and number == 1:
            raise TypeError("no row of the list can be read")
        return cls(items, len(given))


def readable(rows: list[object], read: Callable[[dict[str, Any]], T]) -> list[T]:
    """Read rows. Unreadable rows are left out, with a warning in the log."""
    found: list[T] = []
    for row in rows:
        with suppress(TypeError, ValueError, KeyError):
            found.append(read(mapping(row) or {}))
    if len(found) < len(rows):
        unreadable = len(rows) - len(found)
        log(logging.WARNING, "%d of %d rows of a list cannot be read and are left out.", unreadable, len(rows))
    return found
