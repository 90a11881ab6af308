"""A response that is whole, its JSON parsed once, however oddly it is written."""

from __future__ import annotations

import json
from encodings import utf_8_sig, utf_16, utf_16_be, utf_16_le, utf_32, utf_32_be, utf_32_le
from typing import Any, cast

import httpx

from ..task import is_task_id

# What an odd body is decoded with: a late import fails where file descriptors are few.
LOADED = (utf_8_sig, utf_16, utf_16_be, utf_16_le, utf_32, utf_32_be, utf_32_le)


class WholeResponse(httpx.Response):
    """A response whose body has been read: httpx would read it, and parse its JSON, once more.

    Attributes:
        body: The body, decompressed.
        answer: The parsed JSON of a success, so of any 2xx; None if it is no JSON or has another status.
        task_id: The task that the answer names; None if it names none.
    """

    def __init__(self, response: httpx.Response, body: bytes) -> None:
        status = response.status_code
        self.body = body
        self.answer = parsed(body) if 200 <= status < 300 else None
        self.task_id = task_named_in(self.answer)
        # A response that names a task is one, whatever else it says. A refusal may come under HTTP 200, with its status
        # as the envelope's code.
        if self.task_id:
            status = 200
        elif status == 200 and "json" in response.headers.get("Content-Type", "").lower():
            status = _code(self.answer)
        stream = httpx.ByteStream(body)
        super().__init__(status, headers=response.headers, stream=stream, extensions=response.extensions)
        self._content = body
        self.is_closed = self.is_stream_consumed = True

    def json(self, **options: Any) -> Any:
        return super().json(**options) if self.answer is None or options else self.answer

    @property
    def says_success(self) -> bool:
        """Whether the response says itself that it is a success, with data or without."""
        return self.status_code == 200 and _fields(self.answer).get("code") == 200

    @property
    def has_data(self) -> bool:
        """Whether the response is a success that carries data."""
        return self.status_code == 200 and _fields(self.answer).get("data") is not None


def parsed(body: bytes) -> Any:
    """Parse JSON; None if it is none.

    What strict JSON refuses is read all the same where it can be: bytes that are no UTF-8, raw control characters,
    numbers too long for an int, text after the first value. The task that is told of beside them is paid for.
    """
    try:
        return json.loads(body)
    except RecursionError:
        return None
    except ValueError:
        text = body.decode(json.detect_encoding(body), "replace").lstrip("\ufeff \t\r\n\0")
    try:
        return _LENIENT.raw_decode(text)[0]
    except (ValueError, RecursionError):
        return None


def _whole_number(digits: str) -> int | float:
    try:
        return int(digits)
    except ValueError:  # more digits than Python converts
        return float(digits)


_LENIENT = json.JSONDecoder(strict=False, parse_int=_whole_number)


def task_named_in(answer: object) -> str | None:
    """Return the id of the task that an envelope names. An id anywhere else may be an echo of the input."""
    found = _fields(_fields(answer).get("data")).get("id")
    return found if is_task_id(found) else None


def _code(answer: object) -> int:
    code, message = _fields(answer).get("code"), _fields(answer).get("message")
    return code if isinstance(code, int) and not isinstance(code, bool) and isinstance(message, str) else 200


def _fields(value: object) -> dict[str, object]:
    return cast("dict[str, object]", value) if isinstance(value, dict) else {}
