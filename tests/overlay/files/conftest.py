"""Storage hosts, as tests of both directions need them."""

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import trustme

from tests.conftest import RawServer

MEBIBYTE = bytes(1 << 20)


class Storage(ThreadingHTTPServer):
    """A storage host that keeps no bytes that come: only what came with them, and how many there were.

    Attributes:
        puts: Path, headers and number of bytes of each PUT.
        gets: The headers of each GET; `paths` has their paths, `at_once` how many there were when each came.
        typed: What it has under a path: Content-Type and bytes. /bytes/N has N bytes, and no Content-Type.
        together: Lets no GET go on before this many have come.
    """

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), StorageHandler)
        self.puts: list[tuple[str, dict[str, str], int]] = []
        self.gets: list[dict[str, str]] = []
        self.paths: list[str] = []
        self.typed: dict[str, tuple[str, bytes]] = {}
        self.together: threading.Barrier | None = None
        self.at_once: list[int] = []
        self._lock = threading.Lock()
        self._now = 0
        self.status = 200
        self.url = f"http://127.0.0.1:{self.server_port}"

    @contextmanager
    def counted(self, path: str) -> Iterator[None]:
        """Record a GET, and how many there are at once; let it go on when `together` has as many as it waits for."""
        with self._lock:
            self.paths.append(path)
            self._now += 1
            self.at_once.append(self._now)
        try:
            if self.together is not None:
                self.together.wait(20)
            yield
        finally:
            with self._lock:
                self._now -= 1


class StorageHandler(BaseHTTPRequestHandler):
    server: Storage

    def do_PUT(self) -> None:
        left = length = int(self.headers["Content-Length"])
        while left and (data := self.rfile.read(min(left, 1 << 20))):
            left -= len(data)
        self.server.puts.append((self.path, dict(self.headers), length - left))
        self.send_response(self.server.status)
        self.send_header("Location", "/elsewhere")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def do_GET(self) -> None:
        self.server.gets.append(dict(self.headers))
        with self.server.counted(self.path):
            self._get()

    def _get(self) -> None:
        if self.path in self.server.typed:
            content_type, content = self.server.typed[self.path]
            self.send_response(200)
            if content_type:
                self.send_header("Content-Type", content_type)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)
            return
        kind, _, rest = self.path.strip("/").partition("/")
        if kind == "hop":
            number = int(rest.partition("/")[0])
            self.send_response(302)
            self.send_header("Location", f"/hop/{number - 1}" if number > 1 else "/bytes/5")
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        if kind == "away":
            self.send_response(307)
            self.send_header("Location", "file:///etc/passwd")
            self.end_headers()
            return
        size = int(rest.partition("/")[0])
        self.send_response(404 if kind == "refused" else 200)
        self.send_header("Content-Length", str(size))
        self.end_headers()
        with suppress(ConnectionError):  # a client need not read it all
            for _ in range(size >> 20):
                self.wfile.write(MEBIBYTE)
            self.wfile.write(b"x" * (size % (1 << 20)))

    def log_message(self, format: str, *args: Any) -> None:
        pass


@pytest.fixture
def storage() -> Iterator[Storage]:
    with Storage() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


class Half(ThreadingHTTPServer):
    """A storage host that sends half of a file, and the rest when it may."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), HalfHandler)
        self.rest = threading.Event()
        self.url = f"http://127.0.0.1:{self.server_port}/1.jpeg"


class HalfHandler(BaseHTTPRequestHandler):
    server: Half

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "100000")
        self.end_headers()
        with suppress(ConnectionError):
            self.wfile.write(b"x" * 50_000)
            if self.server.rest.wait(20):
                self.wfile.write(b"x" * 50_000)

    def log_message(self, format: str, *args: Any) -> None:
        pass


@pytest.fixture
def half() -> Iterator[Half]:
    with Half() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.rest.set()
        server.shutdown()
        thread.join()


class TLSServer(RawServer):
    """A RawServer over TLS, which hangs up without TLS's own farewell. What is in `noise` follows beneath TLS."""

    def __init__(self, context: ssl.SSLContext) -> None:
        self.noise = b""
        self._context = context
        super().__init__()
        self.url = self.url.replace("http:", "https:")

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:  # closed
                return
            with self._context.wrap_socket(connection, server_side=True) as secure, secure.makefile("rb") as stream:
                self.requests.append(self._read(stream))
                secure.sendall(self.answers.pop(0) if self.answers else b"")
                socket.socket.sendall(secure, self.noise)


@pytest.fixture(scope="session")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def tls_server(authority: trustme.CA, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: Any) -> Iterator[TLSServer]:
    trusted: Path = tmp_path_factory.mktemp("trusted") / "authority.pem"
    authority.cert_pem.write_to_path(str(trusted))
    monkeypatch.setenv("SSL_CERT_FILE", str(trusted))
    monkeypatch.delenv("SSL_CERT_DIR", raising=False)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    server = TLSServer(context)
    yield server
    server.close()


@pytest.fixture(params=["raw_server", "tls_server"])
def any_server(request: pytest.FixtureRequest) -> RawServer:
    """A host that answers exactly what it is told, over plain HTTP and over TLS."""
    server: RawServer = request.getfixturevalue(request.param)
    return server
