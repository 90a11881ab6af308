"""Requests and responses as they were on the wire."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NoReturn

from attrs import define, field, frozen
from werkzeug.datastructures import Headers

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


def without_key(headers: Headers) -> dict[str, str]:
    """Return headers with the API key masked."""
    return {name: "***" if name.lower() == "authorization" else value for name, value in headers.items()}


def _headers(given: Headers | Mapping[str, str] | Iterable[tuple[str, str]]) -> Headers:
    return Headers(given)


@define
class Request:
    """A request as it was on the wire.

    Attributes:
        method: GET, POST, ...
        target: The path and query as sent, percent-encoded.
        headers: The headers, whose names may be looked up in any case.
        body: The bytes of the body.
        status: The status of the response, even if it was dropped; None until there is one.
    """

    method: str
    target: str
    headers: Headers = field(converter=_headers, repr=lambda headers: repr(without_key(headers)))
    body: bytes = b""
    status: int | None = None

    @property
    def path(self) -> str:
        """The path, percent-encoded."""
        return self.target.partition("?")[0]

    @property
    def query(self) -> str:
        """The query, percent-encoded; empty if there is none."""
        return self.target.partition("?")[2]


@frozen
class Response:
    """A response as it was on the wire.

    Attributes:
        status: The status.
        body: The bytes of the body.
        content_type: The header Content-Type; None if there is none.
        headers: Other headers.
    """

    status: int
    body: bytes
    content_type: str | None = "application/json"
    headers: dict[str, str] = field(factory=dict[str, str])


def success(data: object) -> Response:
    """Build a response with data in the service's envelope."""
    return Response(200, json.dumps({"code": 200, "message": "success", "data": data}).encode())


def refusal(status: int, message: str, **headers: str) -> Response:
    """Build an error response in the service's form."""
    return Response(status, json.dumps({"code": status, "message": message}).encode(), headers=headers)


def media_type(content_type: str | None) -> str:
    """Return a content type in lower case without its parameters; empty if it is missing."""
    return (content_type or "").partition(";")[0].strip().lower()


def is_json(content_type: str | None) -> bool:
    """Return whether a content type is JSON. The charset is ignored, since JSON is always UTF-8."""
    kind = media_type(content_type)
    return kind == "application/json" or kind.endswith("+json")


def read_json(body: bytes) -> Any:
    """Parse a JSON body strictly: UTF-8 without a byte order mark, and no NaN.

    Raises:
        ValueError: The body is not JSON.
    """
    try:
        return json.loads(body.decode(), parse_constant=_no_json)
    except ValueError as error:
        raise ValueError(f"the body is not JSON ({error})") from error
    except RecursionError:
        raise ValueError("the body is nested too deep") from None


def _no_json(word: str) -> NoReturn:
    raise ValueError(f"{word} is not JSON")
