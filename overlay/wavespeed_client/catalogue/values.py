"""Values of a response's JSON, taken for what they should be; None for what they are not."""

from __future__ import annotations

from typing import Any, cast

# Neither NaN, which JSON's parser takes, nor what no float can hold is a price.
LARGEST_NUMBER = 10**18


def text(value: object) -> str | None:
    """Return a text that is not empty."""
    return value if isinstance(value, str) and value else None


def number(value: object) -> float | None:
    """Return a number that a calculation can go on with."""
    if not isinstance(value, int | float) or isinstance(value, bool):
        return None
    return value if abs(value) < LARGEST_NUMBER else None


def whole_number(value: object) -> int | None:
    """Return a whole number; JSON may write it with a fraction of zero."""
    found = number(value)
    return int(found) if found is not None and found == int(found) else None


def mapping(value: object) -> dict[str, Any] | None:
    """Return an object."""
    return cast("dict[str, Any]", value) if isinstance(value, dict) else None
