"""The contract: holds requests and answers against the OpenAPI document, without any generated code."""

from __future__ import annotations

import json
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import parse_qsl, urlsplit

from attrs import define, frozen
from openapi_core import Config, OpenAPI
from openapi_core.datatypes import RequestParameters
from openapi_core.exceptions import OpenAPIError
from openapi_core.validation.request.exceptions import InvalidParameter
from werkzeug.datastructures import Headers, ImmutableMultiDict

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


class ContractError(AssertionError):
    """An exchange is outside the contract; the message says what and why."""


@define
class Request:
    """A request as it was on the wire.

    Attributes:
        method: GET, POST, ...
        target: Path and query as they were sent, percent-encoding included.
        headers: The headers.
        body: The body's bytes.
    """

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes = b""


@frozen
class Answer:
    """An answer as it was on the wire."""

    status: int
    body: bytes
    content_type: str | None = "application/json"


class Contract:
    """An OpenAPI document, as a judge of requests and answers.

    Args:
        document: The document; else the one that the client was generated from.
    """

    def __init__(self, document: dict[str, Any] | None = None) -> None:
        self.document = load_document() if document is None else document
        self._server: str = self.document["servers"][0]["url"]
        self._judge = OpenAPI.from_dict(
            _with_untyped_bytes(self.document), config=Config(extra_format_validators={"uri": _is_uri})
        )

    def check_request(self, request: Request) -> None:
        """Accept a request, or say what is wrong with it.

        Raises:
            ContractError: No such operation, or a parameter, header or body that does not fit.
        """
        try:
            self._judge.validate_request(self._seen(request))
        except OpenAPIError as error:
            raise ContractError(f"{request.method} {request.target}: {_reasons(error)}") from error

    def check_answer(self, request: Request, answer: Answer) -> None:
        """Accept the answer to a request, or say what is wrong with it.

        Raises:
            ContractError: A status, content type or body that the operation does not have.
        """
        try:
            self._judge.validate_response(self._seen(request), _SeenAnswer.of(answer))
        except OpenAPIError as error:
            what = f"answer {answer.status} to {request.method} {request.target}"
            raise ContractError(f"{what}: {_reasons(error)}") from error

    def _seen(self, request: Request) -> _SeenRequest:
        parts, headers = urlsplit(request.target), Headers(dict(request.headers))
        return _SeenRequest(
            host_url=self._server,
            path=parts.path,
            method=request.method.lower(),
            body=request.body or None,
            content_type=headers.get("Content-Type", ""),
            parameters=RequestParameters(
                query=ImmutableMultiDict(parse_qsl(parts.query, keep_blank_values=True)), header=headers
            ),
        )


@cache
def load_document() -> dict[str, Any]:
    """The OpenAPI document that the installed client was generated from."""
    package = find_spec("wavespeed_api")  # found, not imported
    if package is None or package.origin is None:
        raise ContractError("wavespeed_api is not installed beside wavespeed_client")
    document: dict[str, Any] = json.loads(Path(package.origin).with_name("openapi.json").read_bytes())
    return document


@define
class _SeenRequest:
    """A request in the form that openapi-core takes."""

    host_url: str
    path: str
    method: str
    body: bytes | None
    content_type: str
    parameters: RequestParameters


@define
class _SeenAnswer:
    """An answer in the form that openapi-core takes."""

    status_code: int
    data: bytes | None
    content_type: str
    headers: Headers

    @classmethod
    def of(cls, answer: Answer) -> _SeenAnswer:
        return cls(answer.status, answer.body or None, answer.content_type or "", Headers())


def _with_untyped_bytes(node: Any) -> Any:
    """The document as openapi-core wants it: a file's bytes are no string to it, which they are to the generator."""
    if isinstance(node, list):
        return [_with_untyped_bytes(item) for item in cast("list[object]", node)]
    if not isinstance(node, dict):
        return node
    found = cast("dict[str, Any]", node)
    typed = found.get("format") != "binary"
    return {key: _with_untyped_bytes(value) for key, value in found.items() if typed or key not in ("type", "format")}


def _is_uri(value: object) -> bool:
    return isinstance(value, str) and bool(urlsplit(value).scheme)


def _reasons(error: BaseException) -> str:
    """What is wrong, in the schema's own words where it has any: they hide in the cause."""
    complaints: Iterable[Any] = getattr(error.__cause__, "schema_errors", None) or ()
    told = [f"{'/'.join(map(str, complaint.path))} {complaint.message}".strip() for complaint in complaints]
    if not told or isinstance(error, InvalidParameter):
        told.insert(0, _text(error))
    return "; ".join(told)


def _text(error: BaseException) -> str:
    try:
        return str(error) or type(error).__name__
    except UnicodeDecodeError:  # openapi-core shows a body that is not UTF-8
        return type(error).__name__
