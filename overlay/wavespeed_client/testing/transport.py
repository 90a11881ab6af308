"""ContractTransport: holds every exchange of an httpx client against the contract."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, cast
from urllib.parse import urlsplit

import httpx
from attrs import evolve

from ..errors import ConfigurationError
from .contract import Contract, ContractError, client_contract
from .wire import Answer, Request

if TYPE_CHECKING:
    from collections.abc import AsyncIterable, Iterable


class ContractTransport(httpx.BaseTransport, httpx.AsyncBaseTransport):
    """A transport for an httpx.Client or an httpx.AsyncClient that lets only the contract through.

    A request outside the contract raises ContractError before it is sent, so it costs nothing. An answer
    outside it raises ContractError too; the answer is in the error, so that no task that was paid for is lost.

    Args:
        transport: What sends the requests; else httpx's own transport.
        contract: The judge; else the contract of the installed client.
        base_url: Check only what is below this URL, and let the rest pass: storage hosts, for example.

    Attributes:
        violations: What was outside the contract.

    Raises:
        ConfigurationError: The base URL is none.
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
        """The answer, if both it and the request are in the contract."""
        with self._lock:
            transport = self._transport = self._transport or httpx.HTTPTransport()
        if not isinstance(transport, httpx.BaseTransport):
            raise TypeError("An httpx.Client needs a sync transport in its ContractTransport.")
        if not self._covers(request):
            return transport.handle_request(request)
        request.read()
        asked = self._asked(request)
        response = transport.handle_request(request)
        try:
            body = b"".join(cast("Iterable[bytes]", response.stream))
        finally:
            response.close()
        return self._answered(asked, response, body)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Async handle_request."""
        with self._lock:
            transport = self._transport = self._transport or httpx.AsyncHTTPTransport()
        if not isinstance(transport, httpx.AsyncBaseTransport):
            raise TypeError("An httpx.AsyncClient needs an async transport in its ContractTransport.")
        if not self._covers(request):
            return await transport.handle_async_request(request)
        await request.aread()
        asked = self._asked(request)
        response = await transport.handle_async_request(request)
        try:
            body = b"".join([chunk async for chunk in cast("AsyncIterable[bytes]", response.stream)])
        finally:
            await response.aclose()
        return self._answered(asked, response, body)

    def close(self) -> None:
        """Close the transport that sends."""
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

    def _asked(self, request: httpx.Request) -> Request:
        """The request, once it is accepted."""
        prefix = self._base_url.raw_path.decode().rstrip("/") if self._base_url else ""
        target = request.url.raw_path.decode().removeprefix(prefix)
        asked = Request(request.method, target, request.headers, request.content)
        try:
            self._contract.check_request(asked)
        except ContractError as violation:
            self.violations.append(str(violation))
            raise
        return asked

    def _answered(self, asked: Request, response: httpx.Response, body: bytes) -> httpx.Response:
        """The answer, once it is accepted, as it came."""
        status, headers = response.status_code, response.headers
        answer = Answer(status, body, headers.get("Content-Type"))
        try:
            self._contract.check_answer(asked, evolve(answer, body=_decoded(response, body)))
        except (ContractError, httpx.DecodingError) as error:
            self.violations.append(str(error))
            raise ContractError(str(error), asked, answer) from error
        return httpx.Response(status, headers=headers, stream=httpx.ByteStream(body), extensions=response.extensions)


def _checked(base_url: str) -> httpx.URL:
    try:
        urlsplit(base_url)
        url = httpx.URL(base_url)
    except (ValueError, httpx.InvalidURL) as error:
        raise ConfigurationError(f"base_url is not a URL: {error}") from error
    if not url.is_absolute_url or url.query or url.fragment:
        raise ConfigurationError("base_url must be a whole URL such as https://api.wavespeed.ai, without a query.")
    return url


def _decoded(response: httpx.Response, body: bytes) -> bytes:
    return httpx.Response(response.status_code, headers=response.headers, content=body).content
