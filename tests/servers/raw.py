"""A server of exact bytes over a socket."""

from __future__ import annotations

import json
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from typing import Any, BinaryIO

import httpx

TASK = json.dumps({"code": 200, "message": "success", "data": {"id": "abc", "status": "created"}}).encode()
BUSY = json.dumps({"code": 429, "message": "Slow down."}).encode()


def envelope(code: int) -> bytes:
    """Return the body of a refusal."""
    return json.dumps({"code": code, "message": "No."}).encode()


def head(status: int, *headers: str) -> bytes:
    """Return the bytes of a response before its body."""
    return "\r\n".join([f"HTTP/1.1 {status} Whatever", *headers, "", ""]).encode()


def http(status: int, body: bytes, *headers: str) -> bytes:
    """Return the bytes of a response in JSON after which the connection is closed."""
    return kept(status, body, "Connection: close", *headers)


def kept(status: int, body: bytes, *headers: str) -> bytes:
    """Return the bytes of a response in JSON after which the connection is kept."""
    return head(status, "Content-Type: application/json", f"Content-Length: {len(body)}", *headers) + body


class RawRequest(bytes):
    """The bytes of a request, and `connection`, on which it came."""

    connection: socket.socket

    @property
    def line(self) -> str:
        """Such as "POST /api/v3/a/b HTTP/1.1"."""
        return self.partition(b"\r\n")[0].decode()

    @property
    def path(self) -> str:
        return self.line.split()[1]

    @property
    def headers(self) -> httpx.Headers:
        lines = self.partition(b"\r\n\r\n")[0].split(b"\r\n")[1:]
        return httpx.Headers([(name, value.strip()) for name, _, value in (line.partition(b":") for line in lines)])

    @property
    def body(self) -> bytes:
        return self.partition(b"\r\n\r\n")[2]


class RawServer:
    """A server that records each request and sends exact bytes, with a thread for each connection.

    Attributes:
        requests: What has come, in order.
        responses: What is sent, in order, and `default` when none is left; unless `respond` says it.
        respond: Returns the response to a request, whole or in pieces; an empty one closes the connection.
        keeps: Whether a connection takes more requests after a response.
        resets: Whether connections end with a reset.
        noise: What is sent beneath TLS before a connection ends, without TLS's own farewell.
        connections: How many connections were made.
        ended: Released whenever one has ended.
    """

    def __init__(
        self,
        respond: Callable[[RawRequest], bytes | Iterable[bytes]] | None = None,
        *,
        default: bytes = b"",
        keeps: bool = False,
        resets: bool = False,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.requests: list[RawRequest] = []
        self.responses: list[bytes] = []
        self.default = default
        self.respond = respond or self._next
        self.keeps = keeps
        self.resets = resets
        self.noise = b""
        self.connections = 0
        self.ended = threading.Semaphore(0)
        self._tls = tls
        self._open: dict[threading.Thread, socket.socket] = {}
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port: int = self._listener.getsockname()[1]
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{self.port}"
        self._accepting = threading.Thread(target=self._accept, daemon=True)
        self._accepting.start()

    def _next(self, request: RawRequest) -> bytes:
        return self.responses.pop(0) if self.responses else self.default

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:  # closed
                return
            self.connections += 1
            thread = threading.Thread(target=self._serve, args=(connection,), daemon=True)
            self._open[thread] = connection
            thread.start()

    def _serve(self, connection: socket.socket) -> None:
        thread = threading.current_thread()
        try:
            with suppress(OSError):  # the client may hang up at any time
                if self._tls is not None:
                    connection = self._open[thread] = self._tls.wrap_socket(connection, server_side=True)
                with connection, connection.makefile("rb") as stream:
                    self._converse(connection, stream)
        finally:
            del self._open[thread]
            self.ended.release()

    def _converse(self, connection: socket.socket, stream: BinaryIO) -> None:
        for request in iter(partial(received, stream), None):
            request.connection = connection
            self.requests.append(request)
            response = self.respond(request)
            for piece in [response] if isinstance(response, bytes) else response:
                connection.sendall(piece)
            if not (self.keeps and response):
                break
        if self.resets:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        socket.socket.sendall(connection, self.noise)

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._accepting.join()
        for thread, connection in list(self._open.items()):
            with suppress(OSError):  # it has ended meanwhile
                connection.shutdown(socket.SHUT_RDWR)
            thread.join()


def received(stream: BinaryIO) -> RawRequest | None:
    """Return the next request, or None at the end of the connection."""
    lines: list[bytes] = []
    while (line := stream.readline()) not in {b"\r\n", b""}:
        lines.append(line)
    if not line:
        return None
    length = next((int(line[15:]) for line in lines if line.lower().startswith(b"content-length:")), 0)
    return RawRequest(b"".join(lines) + b"\r\n" + stream.read(length))


@contextmanager
def serving(*arguments: Any, **options: Any) -> Iterator[RawServer]:
    """Run a RawServer until the context ends."""
    server = RawServer(*arguments, **options)
    try:
        yield server
    finally:
        server.close()
