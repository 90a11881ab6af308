"""A response that is whole, its JSON parsed once."""

from __future__ import annotations

import json
from typing import Any, cast

import httpx


class WholeResponse(httpx.Response):
    """A response whose body has been read: httpx would read it, and parse its JSON, once more.

    Attributes:
        body: The body, decompressed.
        answer: The parsed JSON of a response with HTTP 200; None if it is no JSON or has another status.
    """

    def __init__(self, status: int, headers: httpx.Headers, body: bytes) -> None:
        self.body = body
        self.answer = parsed(body) if status == 200 else None
        # A refusal may come under HTTP 200, with its status as the envelope's code.
        super().__init__(envelope_code(self.answer, status), headers=headers, stream=httpx.ByteStream(body))

    @property
    def content(self) -> bytes:
        return self.body

    def read(self) -> bytes:
        return self.body

    async def aread(self) -> bytes:
        return self.body

    def json(self, **options: Any) -> Any:
        return super().json(**options) if self.answer is None or options else self.answer

    @property
    def has_data(self) -> bool:
        """Whether the response is a success that carries data."""
        answer = self.answer
        return (
            self.status_code == 200
            and isinstance(answer, dict)
            and cast("dict[str, object]", answer).get("data") is not None
        )


def parsed(body: bytes) -> object:
    """Parse JSON; None if it is none."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def envelope_code(answer: object, status: int) -> int:
    """Return the code in an envelope, or the status if there is none."""
    code = cast("dict[str, object]", answer).get("code") if isinstance(answer, dict) else None
    return code if isinstance(code, int) and not isinstance(code, bool) else status
