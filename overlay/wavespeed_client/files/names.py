"""File names that are valid on every operating system. Pure: reads no disk."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

LONGEST_NAME = 150  # bytes: file systems allow 255, and we add a number and an ending

# Device names of Windows, which are reserved with any ending and in any case.
_DEVICE = re.compile(r"(CON|PRN|AUX|NUL|CONIN\$|CONOUT\$|(COM|LPT)[0-9\u00b9\u00b2\u00b3]) *(\.|$)", re.IGNORECASE)
_ENDING = re.compile(r".(\.(?=[0-9]*[A-Za-z])[A-Za-z0-9]{1,12})", re.DOTALL)


def safe_name(text: str) -> str:
    """Return the text as a file name: no separators, no reserved names; empty if nothing is left."""
    kept = "".join("_" if character in '<>:"/\\|?*' else character for character in text if character.isprintable())
    cut = kept.strip(" .").encode("utf-8", "replace")[-LONGEST_NAME:].decode("utf-8", "ignore").strip(" .")
    return f"_{cut}" if _DEVICE.match(cut) else cut


def ending_of(name: str) -> str:
    """Return the ending of a name with its dot, such as .jpeg; empty if there is none, as in v1.0."""
    match = _ENDING.match(name, max(name.rfind(".") - 1, 0))
    return match[1] if match and match.end() == len(name) else ""


def numbered(name: str, number: int) -> str:
    """Return the nth variant of a name: 1.jpeg, 1-2.jpeg, 1-3.jpeg, ..."""
    ending = ending_of(name)
    return name if number == 1 else f"{name.removesuffix(ending)}-{number}{ending}"


def first_free(is_taken: Callable[[int], bool]) -> int:
    """Return a free number: the lowest if they were taken in order. Calls `is_taken` about 2 log2(n) times."""
    low, high = 0, 1
    while is_taken(high):
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if is_taken(middle) else (low, middle)
    return high
