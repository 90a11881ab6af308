"""A storage host, as tests of both directions need it."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest


class Storage(ThreadingHTTPServer):
    """A storage host that keeps no bytes: only what came with them, and how many there were."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), StorageHandler)
        self.puts: list[tuple[str, dict[str, str], int]] = []
        self.gets: list[dict[str, str]] = []
        self.status = 200
        self.url = f"http://127.0.0.1:{self.server_port}"


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
        self.send_response(200)
        self.send_header("Content-Length", str(size))
        self.end_headers()
        for _ in range(size >> 20):
            self.wfile.write(bytes(1 << 20))
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
