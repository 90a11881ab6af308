"""Which old thing is which new one."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

T = TypeVar("T")


def match(
    old: Iterable[T], new: Iterable[T], *likenesses: Callable[[T], object]
) -> tuple[list[tuple[T, T]], list[T], list[T]]:
    """Pair what is alike, by the first likeness that fits, and return what is left of both; None is like nothing."""
    pairs: list[tuple[T, T]] = []
    before, after = list(old), list(new)
    for likeness in likenesses:
        for one in list(before):
            wanted = likeness(one)
            two = next((each for each in after if wanted is not None and likeness(each) == wanted), None)
            if two is not None:
                pairs.append((one, two))
                before.remove(one)
                after.remove(two)
    return pairs, before, after


def unless_repeated(likeness: Callable[[T], object], *sides: Iterable[T]) -> Callable[[T], object]:
    """Return a likeness that counts only where each side has it once."""
    counts = [Counter(map(likeness, side)) for side in sides]

    def once(each: T) -> object:
        found = likeness(each)
        return found if all(count[found] < 2 for count in counts) else None

    return once
