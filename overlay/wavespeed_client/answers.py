"""Answers whose every field the service promises: narrowed to their model, and held against its types.

The generated parser finds a field that is missing, but takes any value for one that is there.
"""

from __future__ import annotations

import types
from functools import cache
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from attrs import fields, has

from wavespeed_api import models
from wavespeed_api.types import Unset

T = TypeVar("T")

# Neither NaN, which JSON's parser takes, nor what no float can hold is a price.
LARGEST_NUMBER = 10**18

# Types that take more, or other, values than isinstance says.
_NUMBERS = {int: (int,), float: (int, float)}


def expected(parsed: object, kind: type[T]) -> T:
    """The parsed answer, if it is of this kind and its fields are of their types.

    Raises:
        TypeError: It is not; the message names the field.
    """
    if not isinstance(parsed, kind):
        raise TypeError(f"the answer is not a {kind.__name__}")
    _check(parsed, kind, kind.__name__)
    return parsed


def _check(value: Any, hint: Any, name: str) -> None:
    if has(hint) and isinstance(value, hint):
        for field, expected_type in _hints(hint).items():
            _check(getattr(value, field), expected_type, f"{name}.{field}")
    elif get_origin(hint) is list and isinstance(value, list):
        for item in value:  # pyright: ignore[reportUnknownVariableType] # the item's type is what is checked
            _check(item, get_args(hint)[0], f"{name}[]")
    elif get_origin(hint) in (Union, types.UnionType):
        _check_any(value, get_args(hint), name)
    elif not _fits(value, hint):
        raise TypeError(f"{name} is {value!r:.80}")


def _check_any(value: Any, hints: tuple[Any, ...], name: str) -> None:
    failure: TypeError | None = None
    for hint in hints:
        try:
            return _check(value, hint, name)
        except TypeError as error:
            failure = error
    raise failure or TypeError(name)


def _fits(value: Any, hint: Any) -> bool:
    if hint is Any:
        return True
    if get_origin(hint) is Literal:
        return value in get_args(hint)
    if hint in _NUMBERS:
        return isinstance(value, _NUMBERS[hint]) and not isinstance(value, bool) and abs(value) < LARGEST_NUMBER
    return isinstance(hint, type) and isinstance(value, hint)


@cache
def _hints(kind: type[Any]) -> dict[str, Any]:
    named = get_type_hints(kind, localns=_Models())
    return {field.name: named[field.name] for field in fields(kind) if field.init}


class _Models(dict[str, Any]):
    """The names that generated models give to each other: they are imported for type checkers only."""

    def __missing__(self, name: str) -> Any:
        if name == "Unset":
            return Unset
        try:
            return getattr(models, name)
        except AttributeError:
            raise KeyError(name) from None
