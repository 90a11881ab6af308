"""Files inside a model's input: where they are, and the input with their URLs in place. Pure: nothing is opened."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import quote

from ..fields import PLAIN, Place, encoded, is_file, leaves, refusal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .kinds import FileInput

# How a file stands in a journal: by the sha256 of its bytes, and beside it by its name, which tells nothing apart.
FILE, NAME = "$file", "name"

# What stands for a file where only a price is asked for: the service looks at no URL then.
UNSENT = "https://example.invalid/"

PLAIN_NAME = "file"


def files_in(fields: dict[str, Any]) -> dict[Place, FileInput]:
    """Return the files in an input's fields, by their places. Text is never taken for a path.

    Raises:
        InvalidInputError: The input cannot be sent, whatever becomes of its files; the message names the field.
    """
    files: dict[Place, FileInput] = {}
    for place, value in leaves(fields, PLAIN):
        if is_file(value):
            files[place] = cast("FileInput", value)
        elif not isinstance(value, str | int | float):
            raise refusal(place, value)
    if files:  # then nothing is uploaded before all else is known to be fit to be sent
        encoded(placed(fields, dict.fromkeys(files, "")))
    return files


def placed(fields: dict[str, Any], values: Mapping[Place, object]) -> dict[str, Any]:
    """Return a copy of an input's fields with these values at their places. The original is left alone."""
    return cast("dict[str, Any]", _placed(fields, values, ()))


def _placed(value: Any, values: Mapping[Place, object], place: Place) -> Any:
    if place in values:
        return values[place]
    if isinstance(value, dict):
        named = cast("dict[str, Any]", value)
        return {name: _placed(child, values, (*place, name)) for name, child in named.items()}
    if isinstance(value, list | tuple):
        listed = cast("list[Any]", value)
        return [_placed(child, values, (*place, number)) for number, child in enumerate(listed)]
    return value


def without_files(fields: dict[str, Any]) -> dict[str, Any]:
    """Return an input's fields with a URL of nothing in place of each file, for an estimate that uploads none.

    Raises:
        InvalidInputError: See `files_in`.
    """
    urls = {place: UNSENT + quote(name_of(file) or PLAIN_NAME) for place, file in files_in(fields).items()}
    priced = placed(fields, urls) if urls else fields
    encoded(priced)  # here a refusal names the field by its place in the input, later by that in the request
    return priced


def unnamed(value: Any) -> Any:
    """Return plain data in which files that stand for themselves as in a journal are told by their content alone."""
    if isinstance(value, dict):
        fields = cast("dict[str, Any]", value)
        kept = [FILE] if fields.keys() == {FILE, NAME} else list(fields)
        return {name: unnamed(fields[name]) for name in kept}
    if isinstance(value, list):
        return [unnamed(child) for child in cast("list[object]", value)]
    return value


def name_of(file: object) -> str | None:
    """Return a file's own name; None if it has none, such as a file that was opened by its descriptor."""
    if isinstance(file, os.PathLike):
        name: object = os.fsdecode(cast("os.PathLike[str]", file))
    else:
        name = getattr(file, "name", None) or getattr(file, "filename", None)  # the latter is an image's
    # A name on disk may hold bytes that are no text.
    return Path(name).name.encode("utf-8", "replace").decode() or None if isinstance(name, str) else None
