"""How the clients reach the network: proxies, certificates, a caller's own httpx client, and the wrong kind of call."""

import asyncio
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx
import pytest
from httpx_retries import Retry, RetryTransport

from tests.conftest import TASK, Connect, Driven, RawServer, both_transports, http
from wavespeed_api.api.tasks import get_result
from wavespeed_client import AsyncWaveSpeed, ConfigurationError, RateLimitError, WaveSpeed
from wavespeed_client.connection import ApiClient, AsyncApiClient
from wavespeed_client.testing import FakeWaveSpeed

transport = both_transports


class Proxy(ThreadingHTTPServer):
    """Forwards plain requests, refuses tunnels, and records the first line of both."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), ProxyHandler)
        self.lines: list[str] = []
        self.url = f"http://127.0.0.1:{self.server_port}"


class ProxyHandler(BaseHTTPRequestHandler):
    server: Proxy

    def do_POST(self) -> None:
        self.server.lines.append(self.requestline)
        body = self.rfile.read(int(self.headers["Content-Length"]))
        with httpx.Client(trust_env=False) as client:
            answer = client.post(self.path, content=body, headers=dict(self.headers))
        self.send_response(answer.status_code)
        self.send_header("Content-Type", answer.headers["Content-Type"])
        self.end_headers()
        self.wfile.write(answer.content)

    def do_CONNECT(self) -> None:
        self.server.lines.append(self.requestline)
        self.send_error(403)

    def log_message(self, format: str, *args: Any) -> None:
        pass


@pytest.fixture
def proxy() -> Iterator[Proxy]:
    with Proxy() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def test_proxy_variables_are_obeyed(
    connect: Connect, fake: FakeWaveSpeed, proxy: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", proxy.url)
    ws = connect(fake.api_key, base_url=fake.url)
    ws.submit("a/b", {"prompt": "a cat"})
    assert proxy.lines == [f"POST {fake.url}/api/v3/a/b HTTP/1.1"]
    assert fake.calls[0].input == {"prompt": "a cat"}

    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    connect(fake.api_key, base_url=fake.url).submit("a/b", {})
    assert len(proxy.lines) == 1
    assert len(fake.calls) == 2


def test_a_proxy_that_refuses_the_tunnel_means_that_nothing_was_sent(
    connect: Connect, proxy: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", proxy.url)
    with pytest.raises(Exception, match="could not be sent, so nothing was started"):
        connect(base_url="https://api.example.com").submit("a/b", {})
    assert proxy.lines == ["CONNECT api.example.com:443 HTTP/1.1"]


def test_certificates_that_cannot_be_read_are_named(
    connect: Connect, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    empty = tmp_path / "certificates.pem"
    empty.touch()
    monkeypatch.setenv("SSL_CERT_FILE", str(empty))
    with pytest.raises(ConfigurationError, match="SSL_CERT_FILE"):
        connect()


@pytest.mark.parametrize(
    ("variable", "value"),
    [("HTTP_PROXY", "foo://bar"), ("ALL_PROXY", "socks5://127.0.0.1:1"), ("HTTPS_PROXY", "http://a:b:c")],
)
def test_proxies_that_cannot_be_are_named(
    connect: Connect, monkeypatch: pytest.MonkeyPatch, variable: str, value: str
) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(ConfigurationError, match="proxy variable"):
        connect(base_url="http://127.0.0.1:9" if variable == "HTTP_PROXY" else None)


@pytest.mark.parametrize("url", ["https://m\u00fcnchen..de", "https://999.999.999.999", "https://[v1.a]"])
def test_hosts_that_httpx_refuses_are_named(connect: Connect, url: str) -> None:
    with pytest.raises(ConfigurationError, match=r"(?i)base.url"):
        connect(base_url=url)


def test_a_callers_own_retries_do_not_multiply_ours(fake: FakeWaveSpeed) -> None:
    fake.refuse(429, times=20)
    mine = httpx.Client(transport=RetryTransport(retry=Retry(total=3, allowed_methods=["POST"])))
    ws = WaveSpeed(fake.api_key, base_url=fake.url, max_retries=2, http_client=mine)
    with mine, ws, pytest.raises(RateLimitError):
        ws.submit("a/b")
    assert len(fake.requests) == 3


def test_cookies_that_an_answer_sets_are_sent_from_then_on(connect: Connect, raw_server: RawServer) -> None:
    raw_server.answers += [http(200, TASK, "Set-Cookie: route=7; Path=/"), http(200, TASK), http(200, TASK)]
    ws = connect(base_url=raw_server.url)
    for _ in range(3):
        ws.get("abc")
    assert [b"cookie: route=7\r\n" in request.lower() for request in raw_server.requests] == [False, True, True]


@pytest.mark.parametrize("base_url", ["https://example.com", "https://example.com:444/gate/way", "https://[::1]/a%2Fb"])
@pytest.mark.parametrize(
    "url",
    ["/api/v3/a/b", "/api/v3/a%2Fb/c", "/api/v3/ü/c d?e=f&g=%2B", "//host/x", "relative", "https://other.example/x"],
)
@pytest.mark.parametrize("kind", [ApiClient, AsyncApiClient])
def test_an_address_is_the_one_that_httpx_makes(kind: Any, base_url: str, url: str) -> None:
    mine = kind(base_url=base_url)
    parameters: list[dict[str, str]] = [{}, {"webhook": "https://example.com/?a=b"}]
    with httpx.Client(base_url=base_url) as theirs:
        for params in parameters:
            built = [client.build_request("GET", url, params=params or None).url for client in (mine, theirs)]
            assert built[0] == built[1]
        assert mine.build_request("GET", url, params={}).url == theirs.build_request("GET", url).url


def test_a_callers_client_sends_and_stays_the_callers(fake: FakeWaveSpeed) -> None:
    seen: list[str] = []
    with httpx.Client(
        headers={"X-Mine": "1", "Authorization": "Bearer other"},
        cookies={"mine": "1"},
        auth=("user", "word"),
        follow_redirects=True,
        event_hooks={"request": [lambda request: seen.append(request.url.path)]},
    ) as mine:
        before = (dict(mine.headers), dict(mine.cookies), mine.timeout)
        with WaveSpeed(fake.api_key, base_url=fake.url, http_client=mine) as ws:
            ws.run("a/b", {})
        assert (dict(mine.headers), dict(mine.cookies), mine.timeout) == before
        assert not mine.is_closed
    headers = fake.calls[0].headers
    assert (headers["X-Mine"], headers["Cookie"]) == ("1", "mine=1")
    assert headers["User-Agent"].startswith("wavespeed-client/")
    assert seen[0] == "/api/v3/a/b"


def test_a_callers_async_client_sends_and_stays_the_callers(fake: FakeWaveSpeed) -> None:
    async def run() -> None:
        async with httpx.AsyncClient(headers={"X-Mine": "1"}, auth=("user", "word")) as mine:
            async with AsyncWaveSpeed(fake.api_key, base_url=fake.url, http_client=mine) as ws:
                await ws.submit("a/b", {})
            assert not mine.is_closed
        with pytest.raises(ConfigurationError, match="http_client"):
            AsyncWaveSpeed(fake.api_key, base_url=fake.url, http_client=mine)

    asyncio.run(run())
    assert fake.calls[0].headers["X-Mine"] == "1"


@pytest.mark.parametrize("wrong", [httpx, "client", 5])
def test_a_client_of_the_wrong_kind_is_refused(connect: Connect, wrong: Any) -> None:
    with pytest.raises(ConfigurationError, match="http_client must be an open"):
        connect(http_client=wrong)


def test_a_client_of_the_other_mode_is_refused() -> None:
    with pytest.raises(ConfigurationError, match=r"http_client must be an open httpx\.Client"):
        WaveSpeed("test-key", http_client=httpx.AsyncClient())  # type: ignore[arg-type]
    with pytest.raises(ConfigurationError, match=r"http_client must be an open httpx\.AsyncClient"):
        AsyncWaveSpeed("test-key", http_client=httpx.Client())  # type: ignore[arg-type]


def test_a_callers_client_that_was_closed_meanwhile_is_named(fake: FakeWaveSpeed) -> None:
    mine = httpx.Client()
    ws = WaveSpeed(fake.api_key, base_url=fake.url, http_client=mine)
    mine.close()
    with pytest.raises(ConfigurationError, match="is closed"):
        ws.submit("a/b", {})

    async def run() -> None:
        mine = httpx.AsyncClient()
        ws = AsyncWaveSpeed(fake.api_key, base_url=fake.url, http_client=mine)
        await mine.aclose()
        with pytest.raises(ConfigurationError, match="is closed"):
            await ws.submit("a/b", {})

    asyncio.run(run())
    assert fake.requests == []


def test_the_other_mode_of_api_names_the_right_class(ws: Driven) -> None:
    if isinstance(ws.client, WaveSpeed):
        with pytest.raises(ConfigurationError, match="AsyncWaveSpeed"):
            asyncio.run(get_result.asyncio_detailed("abc", client=ws.api))
    else:
        with pytest.raises(ConfigurationError, match="a WaveSpeed"):
            get_result.sync_detailed("abc", client=ws.api)
