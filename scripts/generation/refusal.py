"""Why a spec is refused, in one line."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

# What a generator's message shows of an object that has no words of its own.
ADDRESS = re.compile(r"<(?:[\w.]+\.)?(\w+) object at 0x[0-9a-f]+>")


class SpecError(Exception):
    """The spec cannot be generated from, or compared; the message says why in one line."""


def one_line(message: str) -> str:
    return ADDRESS.sub(r"(\1)", " ".join(message.split()))


def pointer(*steps: object) -> str:
    """Return the place of something in a document, as a JSON pointer in a URI's fragment."""
    return "#" + "".join(f"/{str(step).replace('~', '~0').replace('/', '~1')}" for step in steps)


def refuse(found: Iterable[str]) -> None:
    """Raise the first of what was found, and say how much more there is.

    Raises:
        SpecError: There was anything.
    """
    lines = list(dict.fromkeys(found))
    if lines:
        more = f" (and {len(lines) - 1} more like it)" if lines[1:] else ""
        raise SpecError(f"spec/openapi.yaml: {lines[0]}{more}")
