"""Check the arguments of the stand-in's methods, which also come as JSON."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, TypeVar

from ..errors import InvalidInputError

if TYPE_CHECKING:
    from types import UnionType

T = TypeVar("T")


def checked(
    value: T, name: str, kind: type | UnionType, allowed: str, lowest: float = 0, highest: float = math.inf
) -> T:
    """Check an argument, and return it.

    Args:
        value: The argument.
        name: Its name.
        kind: The type that it must have. A bool is not taken for a number.
        allowed: What is allowed, in words.
        lowest: The lowest number that is allowed.
        highest: The highest number that is allowed.

    Raises:
        InvalidInputError: It is something else. The message says what is allowed, and what came.
    """
    fits = isinstance(value, kind) and isinstance(value, bool) == (kind is bool)
    if not fits or (isinstance(value, int | float) and not lowest <= value <= highest):
        raise InvalidInputError(f"{name} must be {allowed}, not {value!r:.80}.")
    return value


def checked_count(count: int, name: str, lowest: int) -> int:
    """Check a whole number, and return it.

    Raises:
        InvalidInputError: It is not an integer, or less than `lowest`.
    """
    return checked(count, name, int, f"a whole number, {lowest} or more", lowest)
