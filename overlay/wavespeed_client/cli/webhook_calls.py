"""Webhook requests of the service: receive them on a local port, or read them from a file."""

from __future__ import annotations

import os
import re
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, cast

from ..errors import ConfigurationError, InvalidInputError, WebhookVerificationError
from ..webhooks import Webhook
from .options import connected

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from ..task import Task
    from .printer import Printer

# Bytes; a task with many outputs has a few kilobytes.
LARGEST_BODY = 4 * 1024 * 1024
# Seconds after which a silent connection is closed.
SILENCE = 10.0

_HEADER = re.compile(r"([!-9;-~]+):[ \t]*(.*?)[ \t]*")


class Receiver(ThreadingHTTPServer):
    """An HTTP server that accepts the service's webhooks at POST /, and refuses all other requests.

    Args:
        address: The host and port to listen on.
        webhook: Verifies the requests.
        received: Called for each webhook with the task.
        refused: Called for each refused request with the reason.
    """

    daemon_threads = True

    def __init__(
        self,
        address: tuple[str, int],
        webhook: Webhook,
        received: Callable[[Task], object],
        refused: Callable[[str], object],
    ) -> None:
        self.webhook = webhook
        self.received = received
        self.refused = refused
        super().__init__(address, _Handler)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Do nothing: the sender hung up."""


class _Handler(BaseHTTPRequestHandler):
    timeout = SILENCE
    server_version, sys_version = "wavespeed-client", ""

    @property
    def receiver(self) -> Receiver:
        """The server."""
        return cast("Receiver", self.server)

    def do_POST(self) -> None:
        if self.path.partition("?")[0] != "/":
            return self._respond(404, "Webhooks must be sent to /.")
        length = self.headers.get("Content-Length", "")
        if not length.isdecimal():
            return self._respond(411, "The header Content-Length is missing or not a number.")
        if int(length) > LARGEST_BODY:
            return self._respond(413, f"The body must have at most {LARGEST_BODY} bytes.")
        body = self.rfile.read(int(length))
        try:
            task = self.receiver.webhook.parse(body, _headers(self.headers.items()))
        except WebhookVerificationError as error:
            return self._respond(400, str(error))
        self.receiver.received(task)
        return self._respond(200, "")

    def do_GET(self) -> None:
        self._respond(405, "Webhooks must be sent with POST.")

    def _respond(self, status: int, reason: str) -> None:
        if reason:
            self.receiver.refused(f"refused {self.command} {self.path} from {self.client_address[0]}: {reason}")
        body = reason.encode()
        self.send_response(status)
        self.send_header("Content-Type", "text/plain; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)
        self.close_connection = True

    def log_message(self, format: str, *args: Any) -> None:
        """Do nothing: `received` and `refused` report each request."""


def webhook_for(printer: Printer, tolerance: float) -> Webhook:
    """Build a webhook with WAVESPEED_WEBHOOK_SECRET, or else with the account's secret (one request).

    Args:
        printer: The printer.
        tolerance: The greatest age of a webhook in seconds.
    """
    if os.environ.get("WAVESPEED_WEBHOOK_SECRET", "").strip():
        return Webhook(tolerance=tolerance)
    with connected(printer) as ws:
        return Webhook(ws.webhook_secret(), tolerance=tolerance)


def read_call(path: Path) -> tuple[dict[str, str], bytes]:
    """Read a saved webhook request; return its headers and its body.

    Raises:
        InvalidInputError: The file does not contain headers, an empty line and a body.
    """
    content = path.read_bytes()
    found = re.search(rb"\r?\n\r?\n", content)
    if found is None:
        raise InvalidInputError(f"{str(path)!r} is not a saved webhook: it needs headers, an empty line and the body.")
    lines = content[: found.start()].decode("utf-8", "surrogateescape").splitlines()
    pairs = [match.group(1, 2) for match in map(_HEADER.fullmatch, lines) if match]
    return _headers(pairs), content[found.end() :]


def _headers(pairs: Any) -> dict[str, str]:
    """Return headers by lower-case name.

    Raises:
        WebhookVerificationError: A signed header occurs twice, so that programs could disagree about its value.
    """
    headers: dict[str, str] = {}
    for name, value in pairs:
        if name.lower().startswith("webhook-") and name.lower() in headers:
            raise WebhookVerificationError(f"The header {name} occurs twice.")
        headers[name.lower()] = value
    return headers


def listening(address: tuple[str, int], *more: Any) -> Receiver:
    """Start a receiver.

    Raises:
        ConfigurationError: The port cannot be used.
    """
    try:
        return Receiver(address, *more)
    except (OSError, OverflowError) as error:
        raise ConfigurationError(
            f"Cannot listen on port {address[1]} of {address[0]}: {error}. Choose another --port or --host."
        ) from error
