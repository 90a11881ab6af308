"""Encode an input as JSON, find its values by place, and explain values that JSON cannot hold."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any, TypeAlias, cast

from .errors import InvalidInputError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

# The names and indexes that lead to a value: loras[0].path is ("loras", 0, "path"). JSON writes names that are None or
# numbers as text.
Place: TypeAlias = tuple[str | int | float | None, ...]

DEEPEST = 100
PLAIN: frozenset[type] = frozenset({str, int, float, bool, type(None)})
NONE: frozenset[type] = frozenset()

_JSON = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def named(place: Place) -> str:
    """Return a place as text, such as loras[0].path."""
    parts = [f".{step}" if isinstance(step, str) and step.isidentifier() else f"[{step!r:.60}]" for step in place]
    return "".join(parts).removeprefix(".") or "The input"


def leaves(value: object, passed_over: frozenset[type] = NONE, place: Place = ()) -> Iterator[tuple[Place, object]]:
    """Yield the place and value of each leaf of nested dicts, lists and tuples.

    Args:
        value: The value to search.
        passed_over: Types to skip.
        place: The place of the value itself.

    Raises:
        InvalidInputError: JSON cannot write a name as text, or the nesting is deeper than 100 levels.
    """
    if isinstance(value, dict):
        children: Iterable[tuple[Any, object]] = cast("dict[Any, object]", value).items()
    elif isinstance(value, list | tuple):
        children = enumerate(cast("list[object]", value))
    else:
        yield place, value
        return
    if len(place) == DEEPEST:
        where = named(place[:1])
        raise InvalidInputError(f"{where} is nested deeper than {DEEPEST} levels, or holds itself.")
    for step, child in children:
        if not isinstance(step, str | int | float | None):  # what JSON writes as text
            raise InvalidInputError(f"{named(place)} has the name {step!r:.60}: names must be strings.")
        if type(child) not in passed_over:
            yield from leaves(child, passed_over, (*place, step))


def encoded(fields: object) -> bytes:
    """Encode a body as JSON, as httpx writes it.

    Raises:
        InvalidInputError: JSON cannot hold it; the message names the field.
    """
    try:
        return _JSON.encode(fields).encode()
    except (TypeError, ValueError, RecursionError) as error:
        cause = error
    for place, value in leaves(fields):
        if not _fits(value):
            raise refusal(place, value) from cause
        if not _fits(dict.fromkeys(place)):
            raise InvalidInputError(f"{named(place)} contains a name that cannot be sent as JSON.") from cause
    raise InvalidInputError(f"The input cannot be sent as JSON: {cause}") from cause


def _fits(value: object) -> bool:
    try:
        _JSON.encode(value).encode()
    except (TypeError, ValueError):
        return False
    return True


def refusal(place: Place, value: object) -> InvalidInputError:
    """Make the error for a value that JSON cannot hold. It names the field, and a value to pass instead."""
    return InvalidInputError(f"{named(place)} {_reason(value)}")


def is_file(value: object) -> bool:
    """Return whether a value is a file to upload: a path, an open file, or an image object."""
    if isinstance(value, type):
        return False
    return (
        hasattr(value, "__fspath__") or hasattr(value, "read") or (hasattr(value, "save") and hasattr(value, "format"))
    )


def _reason(value: object) -> str:
    if isinstance(value, float) and not math.isfinite(value):
        return f"is {value}, and JSON has no such number."
    if isinstance(value, str | int):
        return "is text with half of a surrogate pair, or a number of thousands of digits, which JSON cannot hold."
    kind = type(value).__name__
    if isinstance(value, bytes | bytearray | memoryview):
        return f"is {kind}: pass upload(BytesIO(...), filename=...), whose URL can be sent, or text."
    if is_file(value):
        return f"is a file ({kind}), which only submit, run and run_many upload: pass the URL of upload(...)."
    return (
        f"is {kind}, which cannot be sent as JSON: make text, a number, a list or a dict of it, for example with "
        "str(...), float(...), list(...), dict(...), .isoformat() or .tolist()."
    )
