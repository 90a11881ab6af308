"""ContractTransport: check every request and response of an httpx client against the contract."""

from __future__ import annotations

import threading
from contextlib import aclosing, closing
from typing import TYPE_CHECKING, cast
from urllib.parse import urlsplit

import httpx
from attrs import evolve

from ..errors import ConfigurationError
from .contract import Contract, client_contract
from .errors import ContractError
from .wire import Request, Response

if TYPE_CHECKING:
    from collections.abc import AsyncIterable, Iterable


class ContractTransport(httpx.BaseTransport, httpx.AsyncBaseTransport):
    """A transport for httpx.Client and httpx.AsyncClient that enforces the contract.

    A request that breaks the contract raises ContractError before it is sent, so it costs nothing. A response that
    breaks it raises ContractError with the response, so that no paid task is lost.

    Args:
        transport: The transport that sends the requests; by default httpx's.
        contract: The contract; by default that of the installed client.
        base_url: Check only URLs below this one. Others, such as storage hosts, pass unchecked.

    Attributes:
        violations: The messages of all violations.

    Raises:
        ConfigurationError: The base URL is invalid.
    """

    def __init__(
        self,
        transport: httpx.BaseTransport | httpx.AsyncBaseTransport | None = None,
        *,
        contract: Contract | None = None,
        base_url: str | None = None,
    ) -> None:
        self.violations: list[str] = []
        self._transport = transport
        self._contract = client_contract() if contract is None else contract
        self._base_url = None if base_url is None else _checked(base_url)
        self._lock = threading.Lock()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request; check it and the response.

        Raises:
            ContractError: The request or the response breaks the contract.
        """
        with self._lock:
            transport = self._transport = self._transport or httpx.HTTPTransport()
        if not isinstance(transport, httpx.BaseTransport):
            raise TypeError("An httpx.Client needs a sync transport in its ContractTransport.")
        if not self._covers(request):
            return transport.handle_request(request)
        request.read()
        checked = self._checked_request(request)
        with closing(transport.handle_request(request)) as response:
            body = b"".join(cast("Iterable[bytes]", response.stream))
        return self._checked_response(checked, response, body)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Async handle_request."""
        with self._lock:
            transport = self._transport = self._transport or httpx.AsyncHTTPTransport()
        if not isinstance(transport, httpx.AsyncBaseTransport):
            raise TypeError("An httpx.AsyncClient needs an async transport in its ContractTransport.")
        if not self._covers(request):
            return await transport.handle_async_request(request)
        await request.aread()
        checked = self._checked_request(request)
        async with aclosing(await transport.handle_async_request(request)) as response:
            body = b"".join([chunk async for chunk in cast("AsyncIterable[bytes]", response.stream)])
        return self._checked_response(checked, response, body)

    def close(self) -> None:
        """Close the wrapped transport."""
        if isinstance(self._transport, httpx.BaseTransport):
            self._transport.close()

    async def aclose(self) -> None:
        """Async close."""
        if isinstance(self._transport, httpx.AsyncBaseTransport):
            await self._transport.aclose()

    def _covers(self, request: httpx.Request) -> bool:
        base, url = self._base_url, request.url
        if base is None:
            return True
        same_host = (url.scheme, url.host, url.port) == (base.scheme, base.host, base.port)
        return same_host and f"{url.path}/".startswith(f"{base.path.rstrip('/')}/")

    def _checked_request(self, request: httpx.Request) -> Request:
        prefix = self._base_url.raw_path.decode().rstrip("/") if self._base_url else ""
        target = request.url.raw_path.decode().removeprefix(prefix)
        checked = Request(request.method, target, request.headers.multi_items(), request.content)
        try:
            self._contract.check_request(checked)
        except ContractError as violation:
            self.violations.append(str(violation))
            raise
        return checked

    def _checked_response(self, request: Request, response: httpx.Response, body: bytes) -> httpx.Response:
        status, headers = response.status_code, response.headers
        received = Response(status, body, headers.get("Content-Type"))
        try:
            decoded = httpx.Response(status, headers=headers, content=body).content
            self._contract.check_response(request, evolve(received, body=decoded))
        except (ContractError, httpx.DecodingError) as error:
            self.violations.append(str(error))
            raise ContractError(str(error), request, received) from error
        return httpx.Response(status, headers=headers, stream=httpx.ByteStream(body), extensions=response.extensions)


def _checked(base_url: str) -> httpx.URL:
    try:
        urlsplit(base_url)
        url = httpx.URL(base_url)
    except (ValueError, httpx.InvalidURL) as error:
        raise ConfigurationError(f"base_url {base_url!r} is not a URL: {error}") from error
    if not url.is_absolute_url or url.query or url.fragment:
        raise ConfigurationError(f"base_url must be a URL such as https://api.wavespeed.ai, not {base_url!r}.")
    return url
