"""Judge: openapi-core, which holds whole exchanges against the document and says what is wrong with them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast
from urllib.parse import parse_qsl

from attrs import define
from openapi_core import Config, OpenAPI
from openapi_core.datatypes import RequestParameters
from openapi_core.exceptions import OpenAPIError
from openapi_core.validation.request.exceptions import InvalidParameter
from werkzeug.datastructures import Headers, ImmutableMultiDict

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Self

    from .wire import Answer, Request


class Judge:
    """Says what is outside the contract; None when nothing is.

    Args:
        document: The OpenAPI document.
        formats: Checks of formats that openapi-core has none for.
    """

    def __init__(self, document: dict[str, Any], formats: dict[str, Callable[[Any], bool]]) -> None:
        self._server: str = document.get("servers", [{"url": "/"}])[0]["url"]
        self._openapi = OpenAPI.from_dict(_with_untyped_bytes(document), config=Config(extra_format_validators=formats))

    def fault_of_request(self, request: Request) -> str | None:
        """What is wrong with a request."""
        return _fault(self._openapi.validate_request, _SeenRequest.of(request, self._server))

    def fault_of_answer(self, request: Request, answer: Answer) -> str | None:
        """What is wrong with the answer to a request."""
        return _fault(self._openapi.validate_response, _SeenRequest.of(request, self._server), _SeenAnswer.of(answer))

    def fault_of_webhook(self, name: str, request: Request) -> str | None:
        """What is wrong with a call of a webhook."""
        return _fault(self._openapi.validate_webhook_request, _SeenWebhook.of(request, self._server, name))


@define
class _SeenRequest:
    """A request in the form that openapi-core takes."""

    host_url: str
    path: str
    method: str
    body: bytes | None
    content_type: str
    parameters: RequestParameters

    @classmethod
    def of(cls, request: Request, server: str, *more: str) -> Self:
        headers = Headers(dict(request.headers))
        query = ImmutableMultiDict(parse_qsl(request.query, keep_blank_values=True))
        parameters = RequestParameters(query=query, header=headers)
        content_type = headers.get("Content-Type", "")
        return cls(server, request.path, request.method.lower(), request.body or None, content_type, parameters, *more)


@define
class _SeenWebhook(_SeenRequest):
    """A webhook's call in the form that openapi-core takes."""

    name: str


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


def _fault(validate: Callable[..., None], *seen: object) -> str | None:
    try:
        validate(*seen)
    except OpenAPIError as error:
        return _reasons(error)
    return None


def _with_untyped_bytes(node: Any) -> Any:
    """The document as openapi-core wants it: a file's bytes are no string to it, which they are to the generator."""
    if isinstance(node, list):
        return [_with_untyped_bytes(item) for item in cast("list[object]", node)]
    if not isinstance(node, dict):
        return node
    found = cast("dict[str, Any]", node)
    typed = found.get("format") != "binary"
    return {key: _with_untyped_bytes(value) for key, value in found.items() if typed or key not in ("type", "format")}


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
