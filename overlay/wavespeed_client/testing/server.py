"""Server: HTTP on a port of this machine, and nothing else."""

from __future__ import annotations

import socket
import threading
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from werkzeug import Request as WSGIRequest
from werkzeug.serving import ThreadedWSGIServer, WSGIRequestHandler

from .wire import refusal

if TYPE_CHECKING:
    from collections.abc import Callable

    from werkzeug import Response

HOST = "127.0.0.1"


class LoopbackServer:
    """A server that hands every request to one function, in a thread for each connection.

    Attributes:
        port: Where it listens on 127.0.0.1.
    """

    def __init__(self, port: int, respond: Callable[[WSGIRequest], Response]) -> None:
        self.port = port
        self._respond = respond

    def start(self) -> None:
        """Listen.

        Raises:
            OSError: The port is taken.
        """
        application = WSGIRequest.application(self._respond)
        # Its own socket: where a port is taken, werkzeug would end the program.
        with socket.create_server((HOST, self.port)) as listening:
            self._server = ThreadedWSGIServer(HOST, self.port, application, Handler, fd=listening.fileno())
        self.port = self._server.port
        # In seconds: how long a stop may take.
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop listening, once started."""
        self._server.shutdown()
        self._thread.join()


class Handler(WSGIRequestHandler):
    """Reads requests and writes answers."""

    def log(self, type: str, message: str, *args: Any) -> None:
        """Say nothing: the stand-in logs each exchange itself."""

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Refuse what is no HTTP request."""
        body = refusal(code, message or HTTPStatus(code).phrase).body
        self.send_response(code)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)
