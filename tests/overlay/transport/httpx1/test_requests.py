"""Requests are the same as httpx would make them, for every generated function."""

from typing import Any

import httpx
import pytest

from tests.conftest import Connect, every_engine
from tests.servers.raw import TASK, RawServer, http
from wavespeed_client.transport.context import Context
from wavespeed_client.transport.httpx1.requests import plain_request

engine = every_engine

WEBHOOK = {"webhook": "https://example.com/?a=b&c=d+e"}
MULTIPART = {"files": {"file": ("a.png", b"x", "image/png")}}


def test_cookies_that_a_response_sets_are_sent_from_then_on(connect: Connect, raw_server: RawServer) -> None:
    raw_server.responses += [http(200, TASK, "Set-Cookie: route=7; Path=/"), http(200, TASK), http(200, TASK)]
    ws = connect(base_url=raw_server.url)
    for _ in range(3):
        ws.get("abc")
    assert [b"cookie: route=7\r\n" in request.lower() for request in raw_server.requests] == [False, True, True]


@pytest.mark.parametrize(
    "base_url", ["https://example.com", "https://example.com:444/gate/way", "https://[::1]/a%2Fb", "http://127.0.0.1:9"]
)
@pytest.mark.parametrize(
    "path",
    ["/api/v3/a/b", "/api/v3/a/b-1.5/c..d", "/api/v3/a%2Fb/c", "/api/v3/ü/c d", "/api/../v3", "/a/./.b", "/a/b/", "/"],
)
@pytest.mark.parametrize(
    ("method", "options"),
    [
        ("get", {}),
        ("get", {"params": {}}),
        ("get", {"params": {"page": 2}}),
        ("post", {"json": {"prompt": "ü", "n": [1, 2.5, None, True]}, "headers": {"Content-Type": "application/json"}}),
        ("post", {"json": {}, "params": WEBHOOK, "headers": {"content-type": "application/json"}}),
        ("post", {"json": {"a": 1}}),
        ("post", {"json": {"a": 1}, "headers": {"X-More": "1", "accept": "text/html"}}),
    ],
)
def test_a_plain_request_is_the_one_that_httpx_makes(
    method: str, options: dict[str, Any], path: str, base_url: str
) -> None:
    with httpx.Client(base_url=base_url, headers={"X-Mine": "1", "Content-Type": "text/plain"}) as client:
        client.cookies.set("route", "7", domain=client.base_url.host.strip("[]"))
        mine, theirs = plain_request(client, method, path, **options), client.build_request(method, path, **options)
    assert mine is not None
    assert (mine.method, mine.url, mine.content) == (theirs.method, theirs.url, theirs.content)
    headers = [sorted((name.lower(), value) for name, value in request.headers.raw) for request in (mine, theirs)]
    assert headers[0] == headers[1]


@pytest.mark.parametrize(
    ("method", "path", "options"),
    [
        ("post", "/api/v3/media/upload/binary", MULTIPART),
        ("post", "/api/v3/a/b", {}),
        ("post", "/api/v3/a/b", {"content": b"{}"}),
        ("get", "//host/x", {}),
        ("get", "relative", {}),
        ("get", "https://other.example/x", {}),
        ("get", httpx.URL("/api/v3/balance"), {}),
        ("get", "/api/v3/balance", {"timeout": 1.0}),
    ],
)
def test_a_request_that_is_not_plain_is_left_to_httpx(method: str, path: Any, options: dict[str, Any]) -> None:
    with httpx.Client(base_url="https://example.com") as client:
        assert plain_request(client, method, path, **options) is None


def test_a_request_that_httpx_builds_keeps_the_context_of_its_call(connect: Connect, raw_server: RawServer) -> None:
    raw_server.responses.append(http(200, TASK))
    ws = connect(base_url=raw_server.url)
    ws.client._http.params = {"route": "7"}
    departures: list[bool] = []
    assert ws._submit(Context(departure=lambda: departures.append(True)), "a/b", {}).id == "abc"
    assert departures == [True]
    assert raw_server.requests[0].startswith(b"POST /api/v3/a/b?route=7 HTTP/1.1\r\n")
