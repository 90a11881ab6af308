"""The contract: holds requests and answers against the OpenAPI document, without any generated code."""

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

    It is as strict as the service where a mistake costs money, and as lenient where the service is: a query parameter
    that a read does not know is passed over, and an error may come in any media type.

    Args:
        document: The document; else the one that the client was generated from.

    Raises:
        ConfigurationError: The document describes a parameter in a way that cannot be judged.
    """

    def __init__(self, document: dict[str, Any] | None = None) -> None:
        self.document = load_document() if document is None else document
        self.routes = Routes(self.document)
        self._judge = Judge(self.document)

    def check_request(self, request: Request) -> None:
        """Accept a request, or say what is wrong with it.

        Raises:
            ContractError: No such operation, or a parameter, header or body that does not fit.
        """
        route = self._route(request)
        faults = self._judge.faults_of_request(route.operation, route.values, request)
        _raise_on(faults, f"{request.method} {request.target}", request)

    def check_answer(self, request: Request, answer: Answer) -> None:
        """Accept the answer to a request, or say what is wrong with it.

        Raises:
            ContractError: A status, content type or body that the operation does not have.
        """
        faults = self._judge.faults_of_answer(self._route(request).operation, answer)
        _raise_on(faults, f"answer {answer.status} to {request.method} {request.target}", request, answer)

    def check_webhook(self, name: str, request: Request) -> None:
        """Accept a call of a webhook, or say what is wrong with it.

        Args:
            name: The webhook's name in the document.
            request: The call.

        Raises:
            ContractError: No such webhook, or a header or body that does not fit.
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


def _raise_on(faults: Iterable[str], exchange: str, request: Request, answer: Answer | None = None) -> None:
    told = "; ".join(faults)
    if told:
        raise ContractError(f"{exchange}: {told}", request, answer)
