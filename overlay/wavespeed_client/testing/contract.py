"""Check requests and responses against the OpenAPI document, without the generated code."""

from __future__ import annotations

import json
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .judge import Judge
from .routes import NoRouteError, Routes

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .routes import Route
    from .wire import Request, Response


class ContractError(AssertionError):
    """A request or a response breaks the contract; the message says how.

    Attributes:
        request: The request.
        response: The response, if it breaks the contract. It may contain a task that was paid for.
    """

    def __init__(self, message: str, request: Request | None = None, response: Response | None = None) -> None:
        super().__init__(message)
        self.request = request
        self.response = response


class Contract:
    """An OpenAPI document that requests and responses are checked against.

    The check is as lenient as the service: it ignores unknown query parameters of GET requests, and allows errors of
    any media type.

    Args:
        document: The document; by default the one that the client was generated from.

    Raises:
        ConfigurationError: The document has a parameter of a style that cannot be checked.
    """

    def __init__(self, document: dict[str, Any] | None = None) -> None:
        self.document = load_document() if document is None else document
        self.routes = Routes(self.document)
        self._judge = Judge(self.document)

    def check_request(self, request: Request) -> None:
        """Check a request.

        Raises:
            ContractError: The operation does not exist, or a parameter, a header or the body is wrong.
        """
        route = self._route(request)
        faults = self._judge.faults_of_request(route.operation, route.values, request)
        _raise_on(faults, f"{request.method} {request.target}", request)

    def check_response(self, request: Request, response: Response) -> None:
        """Check the response to a request.

        Raises:
            ContractError: The operation does not have this status, content type or body.
        """
        faults = self._judge.faults_of_response(self._route(request).operation, response)
        _raise_on(faults, f"response {response.status} to {request.method} {request.target}", request, response)

    def check_webhook(self, name: str, request: Request) -> None:
        """Check the request of a webhook.

        Args:
            name: The webhook's name in the document.
            request: The request.

        Raises:
            ContractError: The webhook does not exist, or a header or the body is wrong.
        """
        operations = self.routes.webhooks.get(name, {})
        if request.method not in operations:
            known = f"only {', '.join(operations)}" if operations else "no such webhook"
            raise ContractError(f"webhook {name}: {request.method}: {known}", request)
        _raise_on(self._judge.faults_of_webhook(operations[request.method], request), f"webhook {name}", request)

    def _route(self, request: Request) -> Route:
        try:
            return self.routes.find(request.method, request.path)
        except NoRouteError as error:
            raise ContractError(str(error), request) from error


@cache
def client_contract() -> Contract:
    """Return the contract of the installed client. Cached, since building it takes longer than a test."""
    return Contract()


@cache
def load_document() -> dict[str, Any]:
    """Return the OpenAPI document that the installed client was generated from. Does not import that client.

    Raises:
        ContractError: The package wavespeed_api is missing.
    """
    package = find_spec("wavespeed_api")
    if package is None or package.origin is None:
        raise ContractError("The package wavespeed_api is missing: install wavespeed-client again.")
    document: dict[str, Any] = json.loads(Path(package.origin).with_name("openapi.json").read_bytes())
    return document


def _raise_on(faults: Iterable[str], exchange: str, request: Request, response: Response | None = None) -> None:
    problems = "; ".join(faults)
    if problems:
        raise ContractError(f"{exchange}: {problems}", request, response)
