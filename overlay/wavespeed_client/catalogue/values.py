"""Read values of a response's JSON as the expected type; None if they are of another type."""

from __future__ import annotations

from typing import Any, cast

# JSON's parser accepts NaN and numbers that are too large for a float. Neither is a price.
LARGEST_NUMBER = 10**18


def text(value: object) -> str | None:
    """Return a text that is not empty."""
    return value if isinstance(value, str) and value else None


def number(value: object) -> float | None:
    """Return a finite number."""
    if not isinstance(value, int | float) or isinstance(value, bool):
        return None
    return value if abs(value) < LARGEST_NUMBER else None


def whole_number(value: object) -> int | None:
    """Return a whole number; JSON may write it with a fraction of zero."""
    found = number(value)
    return int(found) if found is not None and found == int(found) else None


def mapping(value: object) -> dict[str, Any] | None:
    """Return a JSON object as a dict."""
    return cast("dict[str, Any]", value) if isinstance(value, dict) else None
