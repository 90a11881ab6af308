"""The errors of the stand-in and of the contract."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .wire import refusal

if TYPE_CHECKING:
    from collections.abc import Iterable

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


class NoOperationError(ContractError):
    """The contract has no operation for a request.

    Attributes:
        allow: The methods of its path; empty if the path does not exist.
    """

    def __init__(self, request: Request, methods: Iterable[str]) -> None:
        self.allow = ", ".join(methods)
        known = f"only {self.allow}" if self.allow else "no such path"
        super().__init__(f"{request.method} {request.path}: {known}", request)


class RefusedError(Exception):
    """A request is refused.

    Attributes:
        response: The response, in the service's form.
    """

    def __init__(self, status: int, message: str, **headers: str) -> None:
        super().__init__(message)
        self.response = refusal(status, message, **headers)
