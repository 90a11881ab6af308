"""A transport with one connection, which is reused, replaced when it cannot serve, and closed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from contextlib import aclosing, closing
from typing import Any, TypeAlias

import httpx
import pytest

from tests.servers.raw import RawRequest, RawServer, kept, serving
from wavespeed_client.transport.httpx1.connections import has_unread_bytes, single

Results: TypeAlias = list[tuple[int, bool]]


@pytest.fixture
def servers() -> Iterator[tuple[RawServer, RawServer]]:
    def reply(_: RawRequest) -> bytes:
        return kept(200, b"{}")

    with serving(reply, keeps=True) as one, serving(reply, keeps=True) as other:
        yield one, other


def by_sync(urls: list[str]) -> Results:
    """Request each URL; return the status, and whether the connection has unread bytes."""
    results: Results = []
    with closing(single(httpx.HTTPTransport())) as transport:
        for url in urls:
            response = transport.handle_request(httpx.Request("GET", url))
            response.read()
            response.close()
            results.append((response.status_code, has_unread_bytes(transport)))
    return results


def by_async(urls: list[str]) -> Results:
    async def run() -> Results:
        results: Results = []
        async with aclosing(single(httpx.AsyncHTTPTransport())) as transport:
            for url in urls:
                response = await transport.handle_async_request(httpx.Request("GET", url))
                await response.aread()
                await response.aclose()
                results.append((response.status_code, has_unread_bytes(transport)))
        return results

    work: Coroutine[Any, Any, Results] = run()
    return asyncio.run(work)


both = pytest.mark.parametrize("requested", [by_sync, by_async])
Requester: TypeAlias = Callable[[list[str]], Results]


@both
def test_the_connection_is_used_again_and_closed_at_the_end(
    servers: tuple[RawServer, RawServer], requested: Requester
) -> None:
    assert requested([servers[0].url] * 3) == [(200, False)] * 3
    assert servers[0].connections == 1
    assert servers[0].ended.acquire(timeout=60)


@both
def test_each_origin_gets_a_connection_of_its_own(servers: tuple[RawServer, RawServer], requested: Requester) -> None:
    one, other = servers
    assert requested([one.url, other.url, one.url]) == [(200, False)] * 3
    assert (one.connections, other.connections) == (2, 1)
    assert all(server.ended.acquire(timeout=60) for server in (one, one, other))


@both
def test_a_url_of_another_scheme_is_refused(requested: Requester) -> None:
    with pytest.raises(httpx.UnsupportedProtocol):
        requested(["ftp://127.0.0.1/"])


def test_a_connection_of_unknown_structure_counts_as_having_unread_bytes() -> None:
    transport = single(httpx.HTTPTransport())
    transport._pool.connection = object()  # type: ignore[attr-defined]
    assert has_unread_bytes(transport)
