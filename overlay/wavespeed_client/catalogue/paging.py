"""Pages: which to ask for next, and what of it is new."""

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
        call: Makes the call for the page of this number, from 1.
        key: Returns what identifies an item.
        more: Whether there is a page to ask for.
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
        """Take in that page; return those of its items that were not on the page before."""
        before, self._seen = self._seen, frozenset(map(self.key, page.items))
        # A short page is the last. So is one that brings nothing new: a service that ignores the number would otherwise
        # be asked without end. A page of which nothing can be read counts as new.
        self.more = page.size >= PAGE_SIZE and (not page.items or not self._seen <= before)
        self._number += 1
        return [item for item in page.items if self.key(item) not in before]
