"""Over TLS: certificates of one's own by SSL_CERT_FILE, and a tunnel through a proxy."""

import select
import socket
import ssl
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import trustme

from tests.conftest import Connect, every_engine
from wavespeed_client import APIConnectionError

pytestmark = pytest.mark.promise("key-origin", "environment")

engine = every_engine

TASK = b'{"code": 200, "message": "success", "data": {"id": "abc", "status": "created"}}'


class ServiceHandler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.server.keys.append(self.headers["Authorization"])
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(TASK)))
        self.end_headers()
        self.wfile.write(TASK)

    def log_message(self, format: str, *args: Any) -> None:
        pass


class TunnelHandler(BaseHTTPRequestHandler):
    def do_CONNECT(self) -> None:
        self.server.tunnels.append((self.path, self.headers["Authorization"]))
        host, _, port = self.path.partition(":")
        with socket.create_connection((host, int(port))) as far:
            self.send_response(200)
            self.end_headers()
            ends = {self.connection: far, far: self.connection}
            while True:
                for end in select.select(list(ends), [], [])[0]:
                    if not (data := end.recv(65536)):
                        return
                    ends[end].sendall(data)

    def log_message(self, format: str, *args: Any) -> None:
        pass


def serving(server: ThreadingHTTPServer) -> Iterator[Any]:
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def service(authority: trustme.CA) -> Iterator[Any]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), ServiceHandler)
    server.keys = []
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    server.handle_error = lambda request, address: None  # a client that does not trust it hangs up
    yield from serving(server)


@pytest.fixture
def proxy() -> Iterator[Any]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), TunnelHandler)
    server.tunnels = []
    yield from serving(server)


@pytest.fixture
def trusted(authority: trustme.CA, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    authority.cert_pem.write_to_path(str(tmp_path / "authority.pem"))
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "authority.pem"))
    monkeypatch.delenv("SSL_CERT_DIR", raising=False)


def test_a_service_with_an_unknown_certificate_gets_nothing(connect: Connect, service: Any) -> None:
    with pytest.raises(APIConnectionError, match=r"could not be sent to .*, so nothing was started.*certificate"):
        connect(base_url=f"https://127.0.0.1:{service.server_port}", max_retries=0).submit("a/b")
    assert service.keys == []


@pytest.mark.usefixtures("trusted")
def test_ssl_cert_file_is_obeyed(connect: Connect, service: Any) -> None:
    assert connect(base_url=f"https://127.0.0.1:{service.server_port}").submit("a/b").id == "abc"
    assert service.keys == ["Bearer test-key"]


@pytest.mark.usefixtures("trusted")
def test_a_tunnel_through_a_proxy_carries_the_key_to_the_service_alone(
    connect: Connect, service: Any, proxy: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{proxy.server_port}")
    assert connect(base_url=f"https://127.0.0.1:{service.server_port}").submit("a/b").id == "abc"
    assert service.keys == ["Bearer test-key"]
    assert proxy.tunnels == [(f"127.0.0.1:{service.server_port}", None)]

    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    connect(base_url=f"https://127.0.0.1:{service.server_port}").submit("a/b")
    assert len(proxy.tunnels) == 1
