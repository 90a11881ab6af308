"""Outputs of a task, as they are given to a download: a URL, or text that holds the file itself."""

from __future__ import annotations

import base64
from typing import AnyStr
from urllib.parse import unquote_to_bytes

from ..errors import InvalidInputError

DATA = "data:"


def text_of(output: object) -> str:
    """Return an output's text.

    Raises:
        InvalidInputError: It is something else, or empty.
    """
    if isinstance(output, dict):
        raise InvalidInputError("This output is an object: download a URL from within it, or use it as it is.")
    if isinstance(output, list | tuple):
        raise InvalidInputError("Download one output at a time, each of task.outputs by a call of its own.")
    if not isinstance(output, str):
        kind = type(output).__name__
        raise InvalidInputError(f"Pass an output of a task, such as task.outputs[0], as text, not as {kind}.")
    return _full(output.strip())


def is_inline(text: str) -> bool:
    """Tell whether an output's text holds the file itself, as base64 or as a data: URI."""
    return ":" not in text or text[: len(DATA)].lower() == DATA


def decoded(text: str) -> bytes:
    """Return the file that an output's text holds. Base64 may be wrapped into lines.

    Raises:
        InvalidInputError: It is neither a URL nor base64, or holds no byte.
    """
    try:
        content = _bytes_of(text)
    except ValueError as error:  # of the base64, or of characters that are no text
        raise InvalidInputError("This output is neither a URL nor base64 data.") from error
    return _full(content)


def _bytes_of(text: str) -> bytes:
    if ":" not in text:
        return _from_base64(text.encode("ascii"))
    head, comma, data = text.partition(",")
    if not comma:
        raise ValueError("A data: URI has a comma before its data.")
    plain = unquote_to_bytes(data)
    return _from_base64(plain) if head.rpartition(";")[2].strip().lower() == "base64" else plain


def _from_base64(data: bytes) -> bytes:
    return base64.b64decode(b"".join(data.split()), validate=True)


def _full(content: AnyStr) -> AnyStr:
    if not content:
        raise InvalidInputError("This output is empty: the task gave nothing to download here.")
    return content
