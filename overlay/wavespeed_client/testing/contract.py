"""The contract: holds requests and answers against the OpenAPI document, without any generated code."""

from __future__ import annotations

import json
from functools import cache, cached_property
from importlib.util import find_spec
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

from attrs import define, field, frozen
from werkzeug.formparser import FormDataParser
from werkzeug.http import parse_options_header

from .routes import NoRouteError, Routes, resolved
from .shortcut import Shortcut

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from .judge import Judge
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
        return self.target.partition("?")[0]

    @property
    def query(self) -> str:
        """What follows the path."""
        return self.target.partition("?")[2]


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
        self._shortcut = Shortcut(self.document, FORMATS)

    def check_request(self, request: Request) -> None:
        """Accept a request, or say what is wrong with it.

        Raises:
            ContractError: No such operation, or a parameter, header or body that does not fit.
        """
        route = self._route(request)
        _check_query(route, request)
        headers = {name.lower(): value for name, value in request.headers.items()}
        if self._shortcut.accepts_request(route, request.query, headers, request.body):
            return
        _check_form(self.document, route, request)
        fault = self._judge.fault_of_request(request)
        if fault:
            raise ContractError(f"{request.method} {request.target}: {fault}", request)

    def check_answer(self, request: Request, answer: Answer) -> None:
        """Accept the answer to a request, or say what is wrong with it.

        Raises:
            ContractError: A status, content type or body that the operation does not have.
        """
        if self._shortcut.accepts_answer(self._route(request), answer.status, answer.content_type, answer.body):
            return
        fault = self._judge.fault_of_answer(request, answer)
        if fault:
            what = f"answer {answer.status} to {request.method} {request.target}"
            raise ContractError(f"{what}: {fault}", request, answer)

    def check_webhook(self, name: str, request: Request) -> None:
        """Accept a call of a webhook, or say what is wrong with it.

        Args:
            name: The webhook's name in the document.
            request: The call.

        Raises:
            ContractError: No such webhook, or a header or body that does not fit.
        """
        fault = self._judge.fault_of_webhook(name, request)
        if fault:
            raise ContractError(f"webhook {name}: {fault}", request)

    def _route(self, request: Request) -> Route:
        try:
            return self.routes.find(request.method, request.path)
        except NoRouteError as error:
            raise ContractError(str(error), request) from error

    @cached_property
    def _judge(self) -> Judge:
        from .judge import Judge  # a second of imports that most runs do not need

        return Judge(self.document, FORMATS)


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


def _check_query(route: Route, request: Request) -> None:
    """Refuse what openapi-core passes over: a parameter that the operation does not have."""
    names = [parameter["name"] for parameter in route.operation["parameters"] if parameter["in"] == "query"]
    for name, _ in parse_qsl(request.query, keep_blank_values=True):
        if name not in names:
            known = ", ".join(names) or "none"
            raise ContractError(
                f"{request.method} {request.target}: unknown query parameter {name!r} (known: {known})", request
            )


def _check_form(document: dict[str, Any], route: Route, request: Request) -> None:
    """Refuse what openapi-core passes over: a part that the form does not have."""
    mimetype, options = parse_options_header(request.headers.get("Content-Type"))
    content = route.operation.get("requestBody", {}).get("content", {}).get(mimetype, {})
    if mimetype != "multipart/form-data" or "schema" not in content:
        return
    schema = resolved(document, content["schema"])
    try:
        parser = FormDataParser(_in_memory, silent=False)
        _, form, files = parser.parse(BytesIO(request.body), mimetype, len(request.body), options)
    except (ValueError, AssertionError) as error:  # werkzeug asserts, too
        raise ContractError(f"{request.method} {request.target}: the form cannot be read", request) from error
    for name in (*form, *files):
        if schema.get("additionalProperties") is False and name not in schema["properties"]:
            raise ContractError(f"{request.method} {request.target}: unknown part {name!r} of the form", request)


def _in_memory(*_: object, **__: object) -> BytesIO:
    return BytesIO()


def _is_uri(value: Any) -> bool:
    try:
        return isinstance(value, str) and urlsplit(value).scheme != ""
    except ValueError:  # the address in it is none
        return False


FORMATS: dict[str, Callable[[Any], bool]] = {"uri": _is_uri}
