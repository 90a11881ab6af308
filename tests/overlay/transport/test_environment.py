"""How the environment leads to the network: proxies, certificates, addresses that cannot be."""

import io
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.conftest import Connect, every_engine
from wavespeed_client import ConfigurationError
from wavespeed_client.testing import FakeWaveSpeed

pytestmark = pytest.mark.promise("environment")

engine = every_engine


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
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        with httpx.Client(trust_env=False) as client:
            answer = client.request(self.command, self.path, content=body, headers=dict(self.headers))
        self.send_response(answer.status_code)
        self.send_header("Content-Type", answer.headers.get("Content-Type", "text/plain"))
        self.send_header("Content-Length", str(len(answer.content)))
        self.end_headers()
        self.wfile.write(answer.content)

    def do_GET(self) -> None:
        self.do_POST()

    def do_PUT(self) -> None:
        self.do_POST()

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


@pytest.mark.parametrize(
    ("told", "proxied"),
    [
        ("127.0.0.1", False),
        ("example.com, 127.0.0.1:{port}", False),
        ("127.0.0.1:1", True),
        ("http://127.0.0.1", False),
        ("https://127.0.0.1", True),
        (".localhost", True),
        ("*", False),
        ("fd07::/64", True),
        ("[::1],127.0.0.1", False),
    ],
)
def test_one_rule_holds_for_calls_uploads_and_downloads(
    connect: Connect,
    fake: FakeWaveSpeed,
    proxy: Proxy,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    told: str,
    proxied: bool,
) -> None:
    monkeypatch.setenv("HTTP_PROXY", proxy.url)
    monkeypatch.setenv("NO_PROXY", told.format(port=fake.url.rpartition(":")[2]))
    ws = connect(fake.api_key, base_url=fake.url)
    ws.download(ws.upload(io.BytesIO(b"x"), filename="a.png"), tmp_path / "b.png")
    assert [line.partition(" ")[0] for line in proxy.lines] == ["POST", "PUT", "GET"] * proxied
    assert (tmp_path / "b.png").read_bytes() == b"x"


def test_a_proxy_that_refuses_the_tunnel_means_that_nothing_was_sent(
    connect: Connect, proxy: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", proxy.url)
    with pytest.raises(Exception, match=r"could not be sent to .*, so nothing was started"):
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
