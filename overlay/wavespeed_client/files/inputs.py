"""Find the files in a model's input, and replace them with URLs. Pure: opens no file."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import quote

from ..fields import PLAIN, Place, encoded, is_file, leaves, refusal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .kinds import FileInput

# In a journal, a file is written as {"$file": sha256 of its bytes, "name": its name}. Only the digest is compared.
FILE, NAME = "$file", "name"

# A URL in place of a file in a price request: the service does not open it.
UNSENT = "https://example.invalid/"

PLAIN_NAME = "file"


def files_in(fields: dict[str, Any]) -> dict[Place, FileInput]:
    """Return the files in an input's fields, by place. A string is never taken for a path.

    Raises:
        InvalidInputError: The rest of the input cannot be sent as JSON; the message names the field.
    """
    files: dict[Place, FileInput] = {}
    for place, value in leaves(fields, PLAIN):
        if is_file(value):
            files[place] = cast("FileInput", value)
        elif not isinstance(value, str | int | float):
            raise refusal(place, value)
    if files:  # nothing is uploaded for an input that cannot be sent
        encoded(placed(fields, dict.fromkeys(files, "")))
    return files


def placed(fields: dict[str, Any], values: Mapping[Place, object]) -> dict[str, Any]:
    """Return a copy of an input's fields with these values at their places."""
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
    """Return an input's fields with a placeholder URL for each file, to request a price without an upload.

    Raises:
        InvalidInputError: The input cannot be sent; see `files_in`.
    """
    urls = {place: UNSENT + quote(name_of(file) or PLAIN_NAME) for place, file in files_in(fields).items()}
    priced = placed(fields, urls) if urls else fields
    encoded(priced)  # checked here, an error names the field's place in the input, not in the request
    return priced


def unnamed(value: Any) -> Any:
    """Return plain data from a journal without the names of files, so that files compare by content."""
    if isinstance(value, dict):
        fields = cast("dict[str, Any]", value)
        kept = [FILE] if fields.keys() == {FILE, NAME} else list(fields)
        return {name: unnamed(fields[name]) for name in kept}
    if isinstance(value, list):
        return [unnamed(child) for child in cast("list[object]", value)]
    return value


def name_of(file: object) -> str | None:
    """Return a file's name; None if it has none, for example because it was opened by its descriptor."""
    if isinstance(file, os.PathLike):
        name: object = os.fsdecode(cast("os.PathLike[str]", file))
    else:
        name = getattr(file, "name", None) or getattr(file, "filename", None)  # Pillow's images have `filename`
    # A name on disk may hold bytes that are not valid UTF-8.
    return Path(name).name.encode("utf-8", "replace").decode() or None if isinstance(name, str) else None
