"""Server: HTTP on a port, and nothing else."""

from __future__ import annotations

import socket
import threading
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from pytest_httpserver.httpserver import HTTPServerBase
from werkzeug import Request as WSGIRequest
from werkzeug.serving import WSGIRequestHandler, make_server

from .wire import refusal

if TYPE_CHECKING:
    from collections.abc import Callable

    from werkzeug import Response


class Server(HTTPServerBase):
    """A server that hands every request to one function, in a thread for each connection."""

    def __init__(self, host: str, port: int, respond: Callable[[WSGIRequest], Response]) -> None:
        super().__init__(host=host, port=port)
        self._respond = respond

    def start(self) -> None:
        """Listen, with a handler that is quiet and always speaks JSON, for which the base class has no argument.

        Raises:
            OSError: The port is taken.
        """
        application = WSGIRequest.application(self.dispatch)
        # Its own socket: where a port is taken, werkzeug would end the program.
        with socket.create_server((self.host, self.port)) as listening:
            self.server = make_server(
                self.host,
                self.port,
                application,
                threaded=True,
                request_handler=Handler,
                fd=listening.fileno(),
            )
        self.port = self.server.port
        self.server_thread = threading.Thread(target=self.thread_target, daemon=True)
        self.server_thread.start()

    def thread_target(self) -> None:
        """Serve, and end within 20 ms when told to."""
        if self.server is not None:
            self.server.serve_forever(poll_interval=0.02)

    def dispatch(self, request: WSGIRequest) -> Response:
        """The answer to a request."""
        return self._respond(request)


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
