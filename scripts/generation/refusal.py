"""Say in one line why a spec is refused."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

# How a generator's message shows an object without a text of its own.
ADDRESS = re.compile(r"<(?:[\w.]+\.)?(\w+) object at 0x[0-9a-f]+>")


class SpecError(Exception):
    """The spec cannot be compared or used to generate code; the message says why in one line."""


def one_line(message: str) -> str:
    return ADDRESS.sub(r"(\1)", " ".join(message.split()))


def pointer(*steps: object) -> str:
    """Return the place of something in a document, as a JSON pointer in a URI's fragment."""
    return "#" + "".join(f"/{str(step).replace('~', '~0').replace('/', '~1')}" for step in steps)


def refuse(found: Iterable[str]) -> None:
    """Raise an error with the first problem that was found, and the number of others.

    Raises:
        SpecError: There was a problem.
    """
    lines = list(dict.fromkeys(found))
    if lines:
        more = f" (and {len(lines) - 1} more like it)" if lines[1:] else ""
        raise SpecError(f"spec/openapi.yaml: {lines[0]}{more}")
