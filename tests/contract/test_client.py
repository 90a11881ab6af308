"""The generated client classes without the overlay: URL, headers, cookies, key and timeouts, as the server saw them."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.servers.raw import RawServer, http
from wavespeed_api import AuthenticatedClient, Client
from wavespeed_api.api.account import get_balance

BALANCE = http(200, b'{"data": {"balance": 1.5}}')
AWAY = http(307, b"{}", "Location: /elsewhere")


class Balance:
    """A request for the balance by a generated client; calling it returns the lines that the server received."""

    def __init__(self, server: RawServer, mode: str) -> None:
        self.server, self.mode = server, mode

    def __call__(self, client: Client | AuthenticatedClient, *responses: bytes) -> list[str]:
        self.server.responses = list(responses or [BALANCE])
        if self.mode == "sync":
            response = get_balance.sync_detailed(client=client)
        else:
            response = asyncio.run(get_balance.asyncio_detailed(client=client))
        assert bool(response.parsed) == (response.status_code == 200)
        return self.server.requests[-1].decode().split("\r\n")

    def live(self, client: Client | AuthenticatedClient) -> httpx.Client | httpx.AsyncClient:
        return client.get_httpx_client() if self.mode == "sync" else client.get_async_httpx_client()


@pytest.fixture(params=["sync", "async"])
def balance(request: pytest.FixtureRequest, raw_server: RawServer) -> Iterator[Balance]:
    return Balance(raw_server, request.param)


@pytest.fixture(params=[Client, AuthenticatedClient])
def build(request: pytest.FixtureRequest, raw_server: RawServer) -> Any:
    key = {} if request.param is Client else {"token": "secret"}
    return lambda url=raw_server.url, **options: request.param(base_url=url, verify_ssl=False, **key, **options)


def test_paths_are_joined_to_the_base_url(balance: Balance, build: Any, raw_server: RawServer) -> None:
    for ending, path in (("", ""), ("/", ""), ("/prefix", "/prefix"), ("/prefix/", "/prefix")):
        assert balance(build(raw_server.url + ending))[0] == f"GET {path}/api/v3/balance HTTP/1.1"


def test_headers_and_cookies_are_sent(balance: Balance, build: Any) -> None:
    client = build(headers={"X-First": "1"}, cookies={"first": "1"})
    lines = balance(client.with_headers({"X-Second": "2"}).with_cookies({"second": "2"}))
    assert {"X-First: 1", "X-Second: 2", "Cookie: first=1; second=2"} <= set(lines)


def test_a_client_in_use_takes_new_headers_cookies_and_timeout(balance: Balance, build: Any) -> None:
    client = build(timeout=httpx.Timeout(5))
    live = balance.live(client)
    assert live.timeout == httpx.Timeout(5)
    client.with_headers({"X-Second": "2"})
    client.with_cookies({"second": "2"})
    client.with_timeout(httpx.Timeout(7))
    assert {"X-Second: 2", "Cookie: second=2"} <= set(balance(client))
    assert live.timeout == httpx.Timeout(7)
    assert balance.live(build().with_timeout(httpx.Timeout(7))).timeout == httpx.Timeout(7)


def test_redirects_are_followed_on_request_only(balance: Balance, build: Any, raw_server: RawServer) -> None:
    balance(build(), AWAY)
    assert len(raw_server.requests) == 1
    assert balance(build(follow_redirects=True), AWAY, BALANCE)[0] == "GET /elsewhere HTTP/1.1"


def test_further_arguments_reach_httpx(balance: Balance, build: Any) -> None:
    assert balance(build(httpx_args={"params": {"a": "b"}}))[0] == "GET /api/v3/balance?a=b HTTP/1.1"


def test_the_key_is_sent_as_arranged(balance: Balance, raw_server: RawServer) -> None:
    for options, line in (
        ({}, "Authorization: Bearer secret"),
        ({"prefix": "Key"}, "Authorization: Key secret"),
        ({"prefix": ""}, "Authorization: secret"),
        ({"auth_header_name": "X-Key"}, "X-Key: Bearer secret"),
    ):
        assert line in balance(AuthenticatedClient(raw_server.url, "secret", verify_ssl=False, **options))
    assert not any(line.startswith("Authorization") for line in balance(Client(raw_server.url, verify_ssl=False)))


def test_a_client_of_the_callers_is_used_as_it_is(balance: Balance, build: Any, raw_server: RawServer) -> None:
    own = {"base_url": raw_server.url, "headers": {"X-Own": "1"}, "verify": False}
    client = build().set_httpx_client(httpx.Client(**own)).set_async_httpx_client(httpx.AsyncClient(**own))
    assert "X-Own: 1" in balance(client)


def test_a_context_closes_the_connection(build: Any) -> None:
    with build() as client:
        assert not client.get_httpx_client().is_closed
    assert client.get_httpx_client().is_closed

    async def enter_and_leave() -> Any:
        async with build() as client:
            assert not client.get_async_httpx_client().is_closed
        return client

    assert asyncio.run(enter_and_leave()).get_async_httpx_client().is_closed
