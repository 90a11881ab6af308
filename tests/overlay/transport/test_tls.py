"""TLS: one's own certificates through SSL_CERT_FILE, and a tunnel through a proxy."""

import select
import socket
import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme

from tests.conftest import Connect, every_engine
from tests.servers.raw import TASK, RawRequest, RawServer, http, serving
from wavespeed_client import APIConnectionError

pytestmark = pytest.mark.promise("key-origin", "environment")

engine = every_engine


def tunnel(request: RawRequest) -> bytes:
    """Forward bytes in both directions between a client of a proxy and the host that it has named."""
    near, (host, _, port) = request.connection, request.path.partition(":")
    with socket.create_connection((host, int(port))) as far:
        near.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        ends = {near: far, far: near}
        while True:
            for end in select.select(list(ends), [], [])[0]:
                if not (data := end.recv(65536)):
                    return b""
                ends[end].sendall(data)


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def service(authority: trustme.CA) -> Iterator[RawServer]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    with serving(default=http(200, TASK), tls=context) as server:
        yield server


@pytest.fixture
def proxy() -> Iterator[RawServer]:
    with serving(tunnel) as server:
        yield server


def keys(service: RawServer) -> list[str]:
    return [request.headers["Authorization"] for request in service.requests]


@pytest.fixture
def trusted(authority: trustme.CA, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    authority.cert_pem.write_to_path(str(tmp_path / "authority.pem"))
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "authority.pem"))
    monkeypatch.delenv("SSL_CERT_DIR", raising=False)


def test_a_service_with_an_unknown_certificate_gets_nothing(connect: Connect, service: RawServer) -> None:
    with pytest.raises(APIConnectionError, match=r"could not be sent to .*, so nothing was started.*certificate"):
        connect(base_url=service.url, max_retries=0).submit("a/b")
    assert service.requests == []


@pytest.mark.usefixtures("trusted")
def test_ssl_cert_file_is_obeyed(connect: Connect, service: RawServer) -> None:
    assert connect(base_url=service.url).submit("a/b").id == "abc"
    assert keys(service) == ["Bearer test-key"]


@pytest.mark.usefixtures("trusted")
def test_a_tunnel_through_a_proxy_carries_the_key_to_the_service_alone(
    connect: Connect, service: RawServer, proxy: RawServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", proxy.url)
    assert connect(base_url=service.url).submit("a/b").id == "abc"
    assert keys(service) == ["Bearer test-key"]
    (opened,) = proxy.requests
    assert opened.line == f"CONNECT 127.0.0.1:{service.port} HTTP/1.1"
    assert "Authorization" not in opened.headers

    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    connect(base_url=service.url).submit("a/b")
    assert len(proxy.requests) == 1
