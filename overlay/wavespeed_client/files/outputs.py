"""Outputs of a task, as they are downloaded or saved: a URL, or text that holds the file itself."""

from __future__ import annotations

import base64
import json
import re
from typing import Any
from urllib.parse import unquote_to_bytes

from attrs import frozen

from ..errors import InvalidInputError
from ..media.kinds import HEAD, ending_in
from ..task import is_url

DATA = "data:"
TEXT = "text/plain"

# Shorter ones of unknown content may be words.
SHORTEST_BASE64 = 16
_DATA_HEAD = re.compile(r"([\w.+-]+/[\w.+-]+)?(;[^;]*)*", re.ASCII)
_MIXED = re.compile(r"(?=.*[a-z])(?=.*[A-Z])(?=.*[0-9])", re.DOTALL)


@frozen
class Inline:
    """A file that came within an output.

    Attributes:
        content: Its bytes.
        content_type: Its media type; empty if nothing tells.
    """

    content: bytes
    content_type: str = ""


def text_of(output: object) -> str:
    """Return an output's text, to be downloaded.

    Raises:
        InvalidInputError: It is something else, or empty.
    """
    if isinstance(output, dict):
        raise InvalidInputError(
            "This output is an object: download a URL from within it, or let ws.save(task, folder) write it as JSON."
        )
    if isinstance(output, list | tuple):
        raise InvalidInputError(
            "Download one output at a time, each of task.outputs by a call of its own, or all by ws.save(task, folder)."
        )
    if not isinstance(output, str):
        kind = type(output).__name__
        raise InvalidInputError(f"Pass an output of a task, such as task.outputs[0], as text, not as {kind}.")
    text = output.strip()
    if not text:
        raise InvalidInputError("This output is empty: the task gave nothing to download here.")
    return text


def is_inline(text: str) -> bool:
    """Tell whether an output's text holds the file itself, as base64 or as a data: URI."""
    return ":" not in text or _is_data(text)


def decoded(text: str) -> Inline:
    """Return the file that an output's text holds. Base64 may be wrapped into lines.

    Raises:
        InvalidInputError: It is neither a URL nor base64, or holds no byte.
    """
    try:
        found = _data(text) if _is_data(text) else Inline(_from_base64(text.encode("ascii")))
    except ValueError as error:  # of the base64, or of characters that are no text
        message = "This output is neither a URL nor base64 data. Text is written to a file by ws.save(task, folder)."
        raise InvalidInputError(message) from error
    if not found.content:
        raise InvalidInputError("This output is empty: the task gave nothing to download here.")
    return found


def contained(output: str | dict[str, Any]) -> Inline | None:
    """Return the file that an output is saved as, if it is not behind an http(s) URL.

    What can be decoded is decoded; an object becomes JSON; everything else is text and stays as it is.

    Raises:
        InvalidInputError: The object cannot be written as JSON.
    """
    if isinstance(output, dict):
        return Inline(_encoded(_json(output)), "application/json")
    if is_url(output):
        return None
    text = output.strip()
    try:
        found = _data(text) if _is_data(text) else _probable_base64(text)
    except ValueError:
        found = None
    return found or Inline(_encoded(output), TEXT)


def _json(output: dict[str, Any]) -> str:
    try:
        return json.dumps(output, ensure_ascii=False, indent=2)
    except (TypeError, ValueError, RecursionError) as error:
        raise InvalidInputError(f"This output cannot be written as JSON: {error}") from error


def _probable_base64(text: str) -> Inline | None:
    """Return what base64 holds; None for a word, a number or a checksum, which could be taken for some.

    Raises:
        ValueError: It is none.
    """
    content = _from_base64(text.encode("ascii"))
    mixed = len(text) >= SHORTEST_BASE64 and " " not in text and _MIXED.match(text)
    return Inline(content) if mixed or ending_in(content[:HEAD]) else None


def _is_data(text: str) -> bool:
    return text[: len(DATA)].lower() == DATA


def _data(text: str) -> Inline:
    head, comma, data = text[len(DATA) :].partition(",")
    if not comma or not _DATA_HEAD.fullmatch(head):
        raise ValueError("A data: URI has a media type or nothing, and a comma before its data.")
    plain = unquote_to_bytes(data)
    kind, _, encoding = head.rpartition(";")
    if encoding.strip().lower() == "base64":
        return Inline(_from_base64(plain), kind)
    return Inline(plain, head or TEXT)


def _from_base64(data: bytes) -> bytes:
    return base64.b64decode(b"".join(data.split()), validate=True)


def _encoded(text: str) -> bytes:
    """Encode text; half a surrogate pair, which no file can hold, as JSON writes it."""
    return text.encode("utf-8", "backslashreplace")
