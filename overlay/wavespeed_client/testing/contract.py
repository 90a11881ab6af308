"""The contract: holds requests and answers against the OpenAPI document, without any generated code."""

from __future__ import annotations

import json
from functools import cache, cached_property
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import parse_qsl, urlsplit

from attrs import define, field, frozen
from openapi_core import Config, OpenAPI
from openapi_core.datatypes import RequestParameters
from openapi_core.exceptions import OpenAPIError
from openapi_core.validation.request.exceptions import InvalidParameter
from werkzeug.datastructures import Headers, ImmutableMultiDict

from .routes import Routes
from .shortcut import Shortcut

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from typing import Self

    from .routes import Route


class ContractError(AssertionError):
    """An exchange is outside the contract; the message says what and why.

    Attributes:
        request: The request.
        answer: The answer, when it is the answer that does not fit: a task that was paid for is in it.
    """

    def __init__(self, message: str, request: Request | None = None, answer: Answer | None = None) -> None:
        super().__init__(message)
        self.request = request
        self.answer = answer


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
    """

    method: str
    target: str
    headers: Mapping[str, str] = field(repr=_without_key)
    body: bytes = b""

    @property
    def path(self) -> str:
        """The target without its query."""
        return urlsplit(self.target).path


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
        self.routes = Routes(self.document)
        self._server: str = self.document["servers"][0]["url"]
        self._shortcut = Shortcut(self.document, FORMATS)

    def check_request(self, request: Request) -> None:
        """Accept a request, or say what is wrong with it.

        Raises:
            ContractError: No such operation, or a parameter, header or body that does not fit.
        """
        parts, headers = urlsplit(request.target), {name.lower(): value for name, value in request.headers.items()}
        route = self.routes.find(parts.path).get(request.method)
        if route is not None:
            _check_query(route, parts.query, request)
            if self._shortcut.accepts_request(route, parts.query, headers, request.body):
                return
        try:
            self._judge.validate_request(_SeenRequest.of(request, self._server))
        except OpenAPIError as error:
            raise ContractError(f"{request.method} {request.target}: {_reasons(error)}", request) from error

    def check_answer(self, request: Request, answer: Answer) -> None:
        """Accept the answer to a request, or say what is wrong with it.

        Raises:
            ContractError: A status, content type or body that the operation does not have.
        """
        route = self.routes.find(request.path).get(request.method)
        if route and self._shortcut.accepts_answer(route, answer.status, answer.content_type, answer.body):
            return
        try:
            self._judge.validate_response(_SeenRequest.of(request, self._server), _SeenAnswer.of(answer))
        except OpenAPIError as error:
            what = f"answer {answer.status} to {request.method} {request.target}"
            raise ContractError(f"{what}: {_reasons(error)}", request, answer) from error

    def check_webhook(self, name: str, request: Request) -> None:
        """Accept a call of a webhook, or say what is wrong with it.

        Args:
            name: The webhook's name in the document.
            request: The call.

        Raises:
            ContractError: No such webhook, or a header or body that does not fit.
        """
        try:
            self._judge.validate_webhook_request(_SeenWebhook.of(request, self._server, name))
        except OpenAPIError as error:
            raise ContractError(f"webhook {name}: {_reasons(error)}", request) from error

    @cached_property
    def _judge(self) -> OpenAPI:
        formats = Config(extra_format_validators=FORMATS)
        return OpenAPI.from_dict(_with_untyped_bytes(self.document), config=formats)


@cache
def client_contract() -> Contract:
    """The contract of the installed client, read once: building it takes longer than a test."""
    return Contract()


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

    @classmethod
    def of(cls, request: Request, server: str, *more: str) -> Self:
        parts, headers = urlsplit(request.target), Headers(dict(request.headers))
        query = ImmutableMultiDict(parse_qsl(parts.query, keep_blank_values=True))
        parameters = RequestParameters(query=query, header=headers)
        content_type = headers.get("Content-Type", "")
        return cls(server, parts.path, request.method.lower(), request.body or None, content_type, parameters, *more)


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


def _check_query(route: Route, query: str, request: Request) -> None:
    """Refuse what openapi-core passes over: a parameter that the operation does not have."""
    names = [parameter["name"] for parameter in route.operation["parameters"] if parameter["in"] == "query"]
    for name, _ in parse_qsl(query, keep_blank_values=True):
        if name not in names:
            known = ", ".join(names) or "none"
            raise ContractError(
                f"{request.method} {request.target}: unknown query parameter {name!r} (known: {known})", request
            )


def _with_untyped_bytes(node: Any) -> Any:
    """The document as openapi-core wants it: a file's bytes are no string to it, which they are to the generator."""
    if isinstance(node, list):
        return [_with_untyped_bytes(item) for item in cast("list[object]", node)]
    if not isinstance(node, dict):
        return node
    found = cast("dict[str, Any]", node)
    typed = found.get("format") != "binary"
    return {key: _with_untyped_bytes(value) for key, value in found.items() if typed or key not in ("type", "format")}


def _is_uri(value: Any) -> bool:
    return isinstance(value, str) and bool(urlsplit(value).scheme)


FORMATS: dict[str, Callable[[Any], bool]] = {"uri": _is_uri}


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
