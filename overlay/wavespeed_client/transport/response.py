"""A whole response. Its JSON is parsed once, even if it is not strictly valid."""

from __future__ import annotations

import json
from encodings import utf_8_sig, utf_16, utf_16_be, utf_16_le, utf_32, utf_32_be, utf_32_le
from typing import Any

import httpx

from ..catalogue.values import mapping
from ..task import is_task_id
from .httpx1.headers import value_of

# Needed to decode unusual bodies. A late import fails if no file descriptors are left.
LOADED = (utf_8_sig, utf_16, utf_16_be, utf_16_le, utf_32, utf_32_be, utf_32_le)


class WholeResponse(httpx.Response):
    """A response whose body is already read and parsed. httpx would do both again.

    Attributes:
        body: The body, decompressed.
        fields: The body's JSON fields; empty if it is not a JSON object.
        named: The task that the envelope names, whatever the status; None if it names none.
        task_id: The same if the HTTP status is a success (2xx); else None.
    """

    def __init__(self, response: httpx.Response, body: bytes) -> None:
        status = response.status_code
        self.body = body
        self._parsed, self._is_strict = parsed(body)
        self.fields = mapping(self._parsed) or {}
        self.named = task_named_in(self.fields)
        self.task_id = self.named if 200 <= status < 300 else None
        # A response that names a task is a success, whatever else it says. A refusal may come with HTTP 200; then its
        # status is the envelope's code.
        if self.task_id:
            status = 200
        elif status == 200 and _is_json(response):
            status = _code(self.fields)
        super().__init__(status, stream=httpx.ByteStream(body), extensions=response.extensions)
        self.headers, self._content = response.headers, body
        self.is_closed = self.is_stream_consumed = True

    def json(self, **options: Any) -> Any:
        return super().json(**options) if self._parsed is None or options else self._parsed

    @property
    def from_service(self) -> bool:
        """Whether a refusal comes from the service, not from a proxy: strict JSON, with a reason and a JSON type."""
        says_why = isinstance(self.fields.get("message"), str) and isinstance(self.fields.get("code"), int)
        says_why = says_why or isinstance(self.fields.get("error"), str | dict)
        return self._is_strict and says_why and _is_json(self)

    @property
    def data(self) -> object:
        """The data in the envelope; None if it has none."""
        return self.fields.get("data")

    @property
    def mentions_task(self) -> bool:
        """Whether the envelope has an id of a task, even if that cannot be used."""
        return bool((mapping(self.data) or {}).get("id"))

    @property
    def says_success(self) -> bool:
        """Whether the envelope's code says that the response is a success, with data or without."""
        return self.status_code == 200 and self.fields.get("code") == 200

    @property
    def has_data(self) -> bool:
        """Whether the response is a success that carries data."""
        return self.status_code == 200 and self.data is not None


def parsed(body: bytes) -> tuple[Any, bool]:
    """Parse JSON; return the value, None if there is none, and whether the body is strict JSON.

    Invalid JSON is read where possible: bytes that are not UTF-8, raw control characters, numbers too long for an int,
    text after the first value. The task that such a response names is paid for.
    """
    try:
        return json.loads(body), True
    except RecursionError:
        return None, False
    except ValueError:
        text = body.decode(json.detect_encoding(body), "replace").lstrip("\ufeff \t\r\n\0")
    try:
        return _LENIENT.raw_decode(text)[0], False
    except (ValueError, RecursionError):
        return None, False


def _whole_number(digits: str) -> int | float:
    try:
        return int(digits)
    except ValueError:  # more digits than Python converts
        return float(digits)


_LENIENT = json.JSONDecoder(strict=False, parse_int=_whole_number)


def task_named_in(envelope: object) -> str | None:
    """Return the id of the task that an envelope names. An id anywhere else may be an echo of the input."""
    data = mapping((mapping(envelope) or {}).get("data")) or {}
    found = data.get("id")
    return found if is_task_id(found) else None


def _code(fields: dict[str, Any]) -> int:
    code, message = fields.get("code"), fields.get("message")
    return code if isinstance(code, int) and not isinstance(code, bool) and isinstance(message, str) else 200


def _is_json(response: httpx.Response) -> bool:
    return b"json" in value_of(response.headers, b"content-type").lower()
