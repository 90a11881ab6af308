"""Requests and answers as they were on the wire."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NoReturn

from attrs import define, field, frozen

if TYPE_CHECKING:
    from collections.abc import Mapping


def _without_key(headers: Mapping[str, str]) -> str:
    return repr({name: "***" if name.lower() == "authorization" else value for name, value in headers.items()})


@define
class Request:
    """A request as it was on the wire.

    Attributes:
        method: GET, POST, ...
        target: Path and query as they were sent, percent-encoding included.
        headers: The headers.
        body: The body's bytes.
        status: The status of the response, of one that was dropped, too; None while there is none.
    """

    method: str
    target: str
    headers: Mapping[str, str] = field(repr=_without_key)
    body: bytes = b""
    status: int | None = None

    @property
    def path(self) -> str:
        """The target without its query."""
        return self.target.partition("?")[0]

    @property
    def query(self) -> str:
        """What follows the path."""
        return self.target.partition("?")[2]

    def header(self, name: str) -> str:
        """A header, whatever the case of its name; empty without it."""
        return next((value for known, value in self.headers.items() if known.lower() == name.lower()), "")


@frozen
class Answer:
    """An answer as it was on the wire."""

    status: int
    body: bytes
    content_type: str | None = "application/json"


def success(data: object) -> Answer:
    """An answer with this data, in the service's envelope."""
    return Answer(200, json.dumps({"code": 200, "message": "success", "data": data}).encode())


def refusal(status: int, message: str) -> Answer:
    """The answer by which the service refuses."""
    return Answer(status, json.dumps({"code": status, "message": message}).encode())


def media_type(content_type: str | None) -> str:
    """Return a content type without its parameters, in small letters; empty without it."""
    return (content_type or "").partition(";")[0].strip().lower()


def is_json(content_type: str | None) -> bool:
    """Tell whether a content type says JSON. Its charset says nothing: JSON is UTF-8."""
    kind = media_type(content_type)
    return kind == "application/json" or kind.endswith("+json")


def read_json(body: bytes) -> Any:
    """The value in a body of JSON: UTF-8 without a mark, and no NaN.

    Raises:
        ValueError: It is none.
    """
    try:
        return json.loads(body.decode(), parse_constant=_no_json)
    except ValueError as error:
        raise ValueError(f"the body is not JSON ({error})") from error
    except RecursionError:
        raise ValueError("the body is nested too deep") from None


def _no_json(word: str) -> NoReturn:
    raise ValueError(f"{word} is no JSON")
