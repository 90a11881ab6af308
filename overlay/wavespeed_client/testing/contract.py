"""The contract: holds requests and answers against the OpenAPI document, without any generated code."""

from __future__ import annotations

import json
from functools import cache, cached_property
from importlib.util import find_spec
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

from werkzeug.formparser import FormDataParser
from werkzeug.http import parse_options_header

from .routes import NoRouteError, Routes, resolved
from .shortcut import Shortcut
from .wire import read_json

if TYPE_CHECKING:
    from collections.abc import Callable

    from .judge import Judge
    from .routes import Route
    from .wire import Answer, Request


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
        if self._shortcut.accepts_request(route, request):
            return
        _check_json(request.header("Content-Type"), request.body, request, None)
        _check_form(self.document, route, request)
        fault = self._judge.fault_of_request(request)
        if fault:
            raise ContractError(f"{_named(request)}: {fault}", request)

    def check_answer(self, request: Request, answer: Answer) -> None:
        """Accept the answer to a request, or say what is wrong with it.

        Raises:
            ContractError: A status, content type or body that the operation does not have.
        """
        if self._shortcut.accepts_answer(self._route(request), answer):
            return
        _check_json(answer.content_type, answer.body, request, answer)
        fault = self._judge.fault_of_answer(request, answer)
        if fault:
            raise ContractError(f"{_named(request, answer)}: {fault}", request, answer)

    def check_webhook(self, name: str, request: Request) -> None:
        """Accept a call of a webhook, or say what is wrong with it.

        Args:
            name: The webhook's name in the document.
            request: The call.

        Raises:
            ContractError: No such webhook, or a header or body that does not fit.
        """
        if self._shortcut.accepts_webhook(name, request):
            return
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
    """Refuse what openapi-core passes over: a parameter that the operation does not have, or has once."""
    known = {one["name"]: one.get("schema", {}) for one in route.operation["parameters"] if one["in"] == "query"}
    given = [name for name, _ in parse_qsl(request.query, keep_blank_values=True)]
    for name in given:
        if name not in known:
            names = ", ".join(known) or "none"
            raise ContractError(f"{_named(request)}: unknown query parameter {name!r} (known: {names})", request)
        if given.count(name) > 1 and known[name].get("type") != "array":
            raise ContractError(f"{_named(request)}: the query parameter {name!r} is there more than once", request)


def _check_json(content_type: str | None, body: bytes, request: Request, answer: Answer | None) -> None:
    """Refuse what openapi-core takes for JSON, or stumbles over: NaN, other encodings, bottomless nesting."""
    if body and "json" in (content_type or ""):
        try:
            read_json(body)
        except ValueError as error:
            raise ContractError(
                f"{_named(request, answer)}: the body is not JSON ({error})", request, answer
            ) from error


def _check_form(document: dict[str, Any], route: Route, request: Request) -> None:
    """Refuse what openapi-core passes over: a part that the form does not have."""
    mimetype, options = parse_options_header(request.header("Content-Type"))
    content = route.operation.get("requestBody", {}).get("content", {}).get(mimetype, {})
    if mimetype != "multipart/form-data" or "schema" not in content:
        return
    schema = resolved(document, content["schema"])
    try:
        parser = FormDataParser(_in_memory, silent=False)
        _, form, files = parser.parse(BytesIO(request.body), mimetype, len(request.body), options)
    except (ValueError, AssertionError) as error:  # werkzeug asserts, too
        raise ContractError(f"{_named(request)}: the form cannot be read", request) from error
    names = [name for name, _ in (*form.items(multi=True), *files.items(multi=True))]
    for name in names:
        if schema.get("additionalProperties") is False and name not in schema["properties"]:
            raise ContractError(f"{_named(request)}: unknown part {name!r} of the form", request)
        if names.count(name) > 1 and schema["properties"].get(name, {}).get("type") != "array":
            raise ContractError(f"{_named(request)}: the part {name!r} of the form is there more than once", request)


def _named(request: Request, answer: Answer | None = None) -> str:
    asked = f"{request.method} {request.target}"
    return f"answer {answer.status} to {asked}" if answer else asked


def _in_memory(*_: object, **__: object) -> BytesIO:
    return BytesIO()


def _is_uri(value: Any) -> bool:
    try:
        return isinstance(value, str) and urlsplit(value).scheme != ""
    except ValueError:  # the address in it is none
        return False


FORMATS: dict[str, Callable[[Any], bool]] = {"uri": _is_uri}
