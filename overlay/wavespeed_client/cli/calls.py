"""The service's webhook calls: received on a port of this machine and checked, or read from a file."""

from __future__ import annotations

import os
import re
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, cast

from ..errors import ConfigurationError, InvalidInputError, WebhookVerificationError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from ..task import Task
    from ..webhooks import Webhook

# A task with many outputs has some kilobytes.
LARGEST_BODY = 4 * 1024 * 1024
# Seconds that a caller may be silent.
PATIENCE = 10.0

_HEADER = re.compile(r"([!-9;-~]+):[ \t]*(.*?)[ \t]*")


class Receiver(ThreadingHTTPServer):
    """Takes POST / on a port, hands each call on that came from the service, and answers all others with an error.

    Args:
        address: Where to listen.
        webhook: Checks the calls.
        received: Is handed each one: its task, its headers and its body.
        refused: Is told why one was not taken.
    """

    daemon_threads = True

    def __init__(
        self,
        address: tuple[str, int],
        webhook: Webhook,
        received: Callable[[Task, Mapping[str, str], bytes], object],
        refused: Callable[[str], object],
    ) -> None:
        self.webhook = webhook
        self.received = received
        self.refused = refused
        super().__init__(address, _Call)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A caller that hangs up is nothing unusual."""


class _Call(BaseHTTPRequestHandler):
    timeout = PATIENCE
    server_version, sys_version = "wavespeed-client", ""

    @property
    def receiver(self) -> Receiver:
        """The server that the call came to."""
        return cast("Receiver", self.server)

    def do_POST(self) -> None:
        if self.path.partition("?")[0] != "/":
            return self._answer(404, "Calls go to /.")
        length = self.headers.get("Content-Length", "")
        if not length.isdecimal() or int(length) > LARGEST_BODY:
            return self._answer(413 if length.isdecimal() else 411, "A call has a body of a length that is told.")
        body = self.rfile.read(int(length))
        try:
            task = self.receiver.webhook.parse(body, _headers(self.headers.items()))
        except WebhookVerificationError as error:
            return self._answer(400, str(error))
        self.receiver.received(task, dict(self.headers.items()), body)
        return self._answer(200, "")

    def do_GET(self) -> None:
        self._answer(405, "Calls are made by POST.")

    def _answer(self, status: int, reason: str) -> None:
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
        """What is to be told is told by the server's functions."""


def has_secret() -> bool:
    """Tell whether the environment holds a webhook secret."""
    return bool(os.environ.get("WAVESPEED_WEBHOOK_SECRET", "").strip())


def read_call(path: Path) -> tuple[dict[str, str], bytes]:
    """Read a saved call: its headers and its body.

    Raises:
        InvalidInputError: The file holds none.
    """
    content = path.read_bytes()
    found = re.search(rb"\r?\n\r?\n", content)
    if found is None:
        raise InvalidInputError(f"{str(path)!r} holds no call: headers, an empty line and the body are needed.")
    lines = content[: found.start()].decode("utf-8", "surrogateescape").splitlines()
    pairs = [match.group(1, 2) for match in map(_HEADER.fullmatch, lines) if match]
    return _headers(pairs), content[found.end() :]


def _headers(pairs: Any) -> dict[str, str]:
    """Return headers as a mapping.

    Raises:
        WebhookVerificationError: One comes twice, so that two readers might take it for different ones.
    """
    headers: dict[str, str] = {}
    for name, value in pairs:
        if name.lower().startswith("webhook-") and name.lower() in headers:
            raise WebhookVerificationError(f"The call has the header {name} twice.")
        headers[name.lower()] = value
    return headers


def bound(address: tuple[str, int], *more: Any) -> Receiver:
    """Return a receiver that listens.

    Raises:
        ConfigurationError: The port cannot be had.
    """
    try:
        return Receiver(address, *more)
    except (OSError, OverflowError) as error:
        raise ConfigurationError(f"Cannot listen on {address[0]}, port {address[1]}: {error}") from error
