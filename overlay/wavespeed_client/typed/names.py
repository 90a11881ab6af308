"""The names that a model has in a written file. They come from its id alone, so no other model changes them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ..errors import InvalidInputError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

_BETWEEN_DIGITS = re.compile(r"(?<=[0-9])[._/-]+(?=[0-9])")


def token_name(model: str) -> str:
    """Return the name of a model's token: its id in lower case."""
    name = re.sub(r"[^a-z0-9]+", "_", model.lower())
    return name if name[0].isalpha() else f"model_{name}"


def class_stem(model: str) -> str:
    """Return what the names of a model's classes begin with: its id in capitals, with `_` between digits only."""
    words = re.split(r"[^A-Za-z0-9_]+|_(?![0-9])|(?<![0-9])_", _BETWEEN_DIGITS.sub("_", model))
    name = "".join(word[:1].upper() + word[1:] for word in words)
    return name if name[0].isalpha() else f"Model{name}"


def field_part(name: str) -> str:
    """Return what stands for a field in the names below its model's: letters and digits, a capital first."""
    part = "".join(word[:1].upper() + word[1:] for word in re.split(r"[^A-Za-z0-9]+", name))
    return part if part[:1].isalpha() else f"Field{part}"


def check_names(models: Iterable[str]) -> None:
    """Refuse two models that would have one name.

    Raises:
        InvalidInputError: It names both.
    """
    for name_of in (token_name, class_stem):
        _check_each(name_of, sorted(models))


def _check_each(name_of: Callable[[str], str], models: list[str]) -> None:
    seen: dict[str, str] = {}
    for model in models:
        other = seen.setdefault(name_of(model), model)
        if other != model:
            raise InvalidInputError(
                f"{other} and {model} would both be called {name_of(model)}: leave one out, or give it another file."
            )
