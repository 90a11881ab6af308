"""The names of a model in a generated module. They depend only on its id, so other models do not change them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ..errors import InvalidInputError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

_BETWEEN_DIGITS = re.compile(r"(?<=[0-9])[._/-]+(?=[0-9])")


def token_name(model: str) -> str:
    """Return the name of a model's token: its id in lower case with underscores."""
    name = re.sub(r"[^a-z0-9]+", "_", model.lower())
    return name if name[0].isalpha() else f"model_{name}"


def class_stem(model: str) -> str:
    """Return the prefix of a model's class names: its id in CamelCase, with `_` between digits."""
    words = re.split(r"[^A-Za-z0-9_]+|_(?![0-9])|(?<![0-9])_", _BETWEEN_DIGITS.sub("_", model))
    name = "".join(word[:1].upper() + word[1:] for word in words)
    return name if name[0].isalpha() else f"Model{name}"


def field_part(name: str) -> str:
    """Return a field's part of a class name: CamelCase, beginning with a letter."""
    part = "".join(word[:1].upper() + word[1:] for word in re.split(r"[^A-Za-z0-9]+", name))
    return part if part[:1].isalpha() else f"Field{part}"


def check_names(models: Iterable[str]) -> None:
    """Check that all models have different names.

    Raises:
        InvalidInputError: Two models share a name; the message names both.
    """
    for name_of in (token_name, class_stem):
        _check_each(name_of, sorted(models))


def _check_each(name_of: Callable[[str], str], models: list[str]) -> None:
    seen: dict[str, str] = {}
    for model in models:
        other = seen.setdefault(name_of(model), model)
        if other != model:
            raise InvalidInputError(
                f"{other} and {model} would both be named {name_of(model)}: write one of them to another file."
            )
