"""Read a list page by page: decide which page to request next, and which of its items are new."""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, TypeVar

from attrs import define, field

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..calls import Call
    from .listing import Page

PAGE_SIZE = 100

T = TypeVar("T")


@define
class Pages(Generic[T]):
    """The pages of one listing, newest first.

    While pages are read, new items push older ones on to the next page, so an item may come twice.

    Attributes:
        call: Makes the call for a page, by its number from 1.
        key: Returns the id of an item.
        more: Whether there is another page to request.
    """

    call: Callable[[int], Call[Page[T]]]
    key: Callable[[T], str]
    more: bool = field(init=False, default=True)
    _number: int = field(init=False, default=1)
    _seen: frozenset[str] = field(init=False, default=frozenset())

    def next_call(self) -> Call[Page[T]]:
        """Return the call for the next page."""
        return self.call(self._number)

    def take(self, page: Page[T]) -> list[T]:
        """Record the next page; return its items that were not on the page before."""
        before, self._seen = self._seen, frozenset(map(self.key, page.items))
        # A short page is the last. So is one without new items: otherwise a server that ignores the page number loops
        # forever. A page without readable items counts as new.
        self.more = page.size >= PAGE_SIZE and (not page.items or not self._seen <= before)
        self._number += 1
        return [item for item in page.items if self.key(item) not in before]
