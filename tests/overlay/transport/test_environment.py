"""The network settings of the environment: proxies, certificates, and unusable addresses."""

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.conftest import Connect, every_engine
from tests.servers.raw import RawRequest, RawServer, http, serving
from wavespeed_client import APIConnectionError, ConfigurationError
from wavespeed_client.testing import FakeWaveSpeed

pytestmark = pytest.mark.promise("environment")

engine = every_engine


def forwarded(request: RawRequest) -> bytes:
    """Refuse a tunnel; forward any other request."""
    if request.line.startswith("CONNECT"):
        return http(403, b"")
    with httpx.Client(trust_env=False) as client:
        response = client.request(*request.line.split()[:2], content=request.body, headers=request.headers)
    return http(response.status_code, response.content)


@pytest.fixture
def proxy() -> Iterator[RawServer]:
    with serving(forwarded) as server:
        yield server


def lines(proxy: RawServer) -> list[str]:
    return [request.line for request in proxy.requests]


def test_proxy_variables_are_obeyed(
    connect: Connect, fake: FakeWaveSpeed, proxy: RawServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", proxy.url)
    ws = connect(fake.api_key, base_url=fake.url)
    ws.submit("a/b", {"prompt": "a cat"})
    assert lines(proxy) == [f"POST {fake.url}/api/v3/a/b HTTP/1.1"]
    assert fake.calls[0].input == {"prompt": "a cat"}

    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    connect(fake.api_key, base_url=fake.url).submit("a/b", {})
    assert len(lines(proxy)) == 1
    assert len(fake.calls) == 2


@pytest.mark.parametrize(
    ("no_proxy", "proxied"),
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
def test_no_proxy_applies_to_calls_uploads_and_downloads_alike(
    connect: Connect,
    fake: FakeWaveSpeed,
    proxy: RawServer,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    no_proxy: str,
    proxied: bool,
) -> None:
    monkeypatch.setenv("HTTP_PROXY", proxy.url)
    monkeypatch.setenv("NO_PROXY", no_proxy.format(port=fake.url.rpartition(":")[2]))
    ws = connect(fake.api_key, base_url=fake.url)
    ws.download(ws.upload(io.BytesIO(b"x"), filename="a.png"), tmp_path / "b.png")
    assert [line.partition(" ")[0] for line in lines(proxy)] == ["POST", "PUT", "GET"] * proxied
    assert (tmp_path / "b.png").read_bytes() == b"x"


def test_a_proxy_that_refuses_the_tunnel_means_that_nothing_was_sent(
    connect: Connect, proxy: RawServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", proxy.url)
    with pytest.raises(Exception, match=r"could not be sent to .*, so nothing was started"):
        connect(base_url="https://api.example.com").submit("a/b", {})
    assert lines(proxy) == ["CONNECT api.example.com:443 HTTP/1.1"]


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
def test_unusable_proxies_are_named(
    connect: Connect, monkeypatch: pytest.MonkeyPatch, variable: str, value: str
) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(ConfigurationError, match="proxy variable"):
        connect(base_url="http://127.0.0.1:9" if variable == "HTTP_PROXY" else None)


@pytest.mark.parametrize("url", ["https://m\u00fcnchen..de", "https://999.999.999.999", "https://[v1.a]"])
def test_a_base_url_whose_host_httpx_refuses_is_named(connect: Connect, url: str) -> None:
    with pytest.raises(ConfigurationError, match=r"(?i)base.url"):
        connect(base_url=url)


@pytest.mark.parametrize("ending", [b"", b"no HTTP\r\n\r\n", http(502, b"")], ids=["end", "garbage", "502"])
@pytest.mark.parametrize("resets", [False, True])
def test_a_proxy_that_opens_no_tunnel_got_no_submission(
    connect: Connect, monkeypatch: pytest.MonkeyPatch, ending: bytes, resets: bool
) -> None:
    with serving(default=ending, resets=resets) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy.url)
        with pytest.raises(APIConnectionError, match="so nothing was started"):
            connect(base_url="https://api.example.com", max_retries=0).submit("a/b")
        assert lines(proxy) == ["CONNECT api.example.com:443 HTTP/1.1"]
