"""Outputs of a task as files: behind a URL, or inline as base64, a data: URI, text or JSON."""

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
EMPTY = "This output is empty: there is nothing to download."

# Shorter text may be a word that happens to be valid base64.
SHORTEST_BASE64 = 16
_DATA_HEAD = re.compile(r"([\w.+-]+/[\w.+-]+)?(;[^;]*)*", re.ASCII)
_MIXED = re.compile(r"(?=.*[a-z])(?=.*[A-Z])(?=.*[0-9])", re.DOTALL)


@frozen
class Inline:
    """A file that an output contains.

    Attributes:
        content: The bytes.
        content_type: The media type; empty if unknown.
    """

    content: bytes
    content_type: str = ""


def text_of(output: object) -> str:
    """Return the text of an output that is to be downloaded.

    Raises:
        InvalidInputError: The output is not text, or empty.
    """
    if isinstance(output, dict):
        raise InvalidInputError(
            "This output is an object: pass one of the URLs in it, or write it as JSON with ws.save(task, folder)."
        )
    if isinstance(output, list | tuple):
        raise InvalidInputError(
            "download takes one output: pass task.outputs[0], or save all outputs with ws.save(task, folder)."
        )
    if not isinstance(output, str):
        kind = type(output).__name__
        raise InvalidInputError(f"download takes an output of a task, such as task.outputs[0], not {kind}.")
    text = output.strip()
    if not text:
        raise InvalidInputError(EMPTY)
    return text


def is_inline(text: str) -> bool:
    """Return whether the text is the file itself, as base64 or a data: URI."""
    return ":" not in text or _is_data(text)


def decoded(text: str) -> Inline:
    """Decode an inline output. Base64 may be wrapped into lines.

    Raises:
        InvalidInputError: It is neither a URL nor base64, or it is empty.
    """
    try:
        found = _data(text) if _is_data(text) else Inline(_from_base64(text.encode("ascii")))
    except ValueError as error:  # also of the ASCII encoding
        message = "This output is neither a URL nor base64: if it is text, write it with ws.save(task, folder)."
        raise InvalidInputError(message) from error
    if not found.content:
        raise InvalidInputError(EMPTY)
    return found


def contained(output: str | dict[str, Any]) -> Inline | None:
    """Return the file that an output is saved as; None if it is behind an http(s) URL.

    Base64 and data: URIs are decoded, an object becomes JSON, and other text is kept.

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
    """Decode base64; return None for a word, a number or a checksum, which may be valid base64, too.

    Raises:
        ValueError: This is not base64.
    """
    content = _from_base64(text.encode("ascii"))
    mixed = len(text) >= SHORTEST_BASE64 and " " not in text and _MIXED.match(text)
    return Inline(content) if mixed or ending_in(content[:HEAD]) else None


def _is_data(text: str) -> bool:
    return text[: len(DATA)].lower() == DATA


def _data(text: str) -> Inline:
    head, comma, data = text[len(DATA) :].partition(",")
    if not comma or not _DATA_HEAD.fullmatch(head):
        raise ValueError("A data: URI has an optional media type, a comma, and the data.")
    plain = unquote_to_bytes(data)
    kind, _, encoding = head.rpartition(";")
    if encoding.strip().lower() == "base64":
        return Inline(_from_base64(plain), kind)
    return Inline(plain, head or TEXT)


def _from_base64(data: bytes) -> bytes:
    return base64.b64decode(b"".join(data.split()), validate=True)


def _encoded(text: str) -> bytes:
    """Encode text as UTF-8; lone surrogates, which UTF-8 cannot encode, become escapes."""
    return text.encode("utf-8", "backslashreplace")
