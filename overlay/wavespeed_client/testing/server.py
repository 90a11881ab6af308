"""The stand-in's HTTP server."""

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

# Seconds between two looks at whether to stop.
POLL_SECONDS = 0.02


class Server(HTTPServerBase):
    """A server that passes every request to one function, with a thread for each connection."""

    def __init__(self, host: str, port: int, respond: Callable[[WSGIRequest], Response]) -> None:
        super().__init__(host=host, port=port)
        self._respond = respond

    def start(self) -> None:
        """Start listening. Replaces the base class's `start`, which cannot be given our handler.

        Raises:
            OSError: The port is taken.
        """
        application = WSGIRequest.application(self.dispatch)
        # We open the socket, since werkzeug exits the process if the port is taken.
        with socket.create_server((self.host, self.port)) as listening:
            fd = listening.fileno()
            server = make_server(self.host, self.port, application, threaded=True, request_handler=Handler, fd=fd)
        self.server, self.port = server, server.port
        self.server_thread = threading.Thread(target=server.serve_forever, args=[POLL_SECONDS], daemon=True)
        self.server_thread.start()

    def dispatch(self, request: WSGIRequest) -> Response:
        """Respond to a request."""
        return self._respond(request)


class Handler(WSGIRequestHandler):
    """The handler of HTTP requests. It logs nothing, and refuses malformed requests with JSON."""

    def log(self, type: str, message: str, *args: Any) -> None:
        """Do nothing: the stand-in logs each request itself."""

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Refuse a malformed HTTP request, with JSON."""
        body = refusal(code, message or HTTPStatus(code).phrase).body
        self.send_response(code)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)
