"""The service behind the proxies: it counts the submissions that it accepts.

An input says what happens to it: `{"tag": ..., "fate": ..., "delay": seconds}`. On a second port the service accepts
every submission but closes the connection.
"""

from __future__ import annotations

import contextlib
import json
import threading
import time
from collections import Counter
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

from attrs import define, field

if TYPE_CHECKING:
    from collections.abc import Generator

# The header by which a proxy's rules recognise a marked response.
MARK = "X-Held-Back"
# What may happen after a submission was accepted.
ANSWERED, CLOSED, HALF_HEAD, HALF_BODY = "answered", "closed", "half a head", "half a body"
BAD_GATEWAY, GATEWAY_TIMEOUT, MARKED = "502", "504", "marked"


@define
class Record:
    """The accepted submissions: the count of each tag, and the tag of each task id."""

    taken: Counter[str] = field(factory=Counter[str])
    owners: dict[str, str] = field(factory=dict[str, str])
    _lock: threading.Lock = field(factory=threading.Lock, init=False)

    def take(self, tag: str) -> str:
        with self._lock:
            self.taken[tag] += 1
            name = f"task-{len(self.owners):06}"
            self.owners[name] = tag
        return name


class Service(ThreadingHTTPServer):
    request_queue_size = 1024

    def handle_error(self, request: object, client_address: object) -> None:
        """Ignore that a proxy or client closed the connection."""


class Connection(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def __init__(self, record: Record, fate: str, *connection: Any) -> None:
        self.record, self.fate = record, fate
        super().__init__(*connection)  # which serves it

    def do_POST(self) -> None:
        """Accept a submission, and respond as its fate says."""
        given = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        name = self.record.take(given["tag"])
        time.sleep(given["delay"])
        sent, whole = response_to(name, self.fate or given["fate"])
        self.wfile.write(sent)
        self.close_connection = not whole

    def do_GET(self) -> None:
        self.wfile.write(response(200, task(self.path.split("/")[4], "completed")))

    def log_message(self, format: str, *args: object) -> None:
        """Print nothing."""


def response_to(name: str, fate: str) -> tuple[bytes, bool]:
    """Return the bytes to send for an accepted submission, and whether they are a complete response."""
    whole = response(200, task(name, "created"), *([f"{MARK}: yes"] if fate == MARKED else []))
    if fate in (BAD_GATEWAY, GATEWAY_TIMEOUT):
        whole = response(int(fate), "<html>No.</html>", kind="text/html")
    sent = {CLOSED: b"", HALF_HEAD: whole[:30], HALF_BODY: whole[:-40]}.get(fate, whole)
    return sent, sent == whole


def task(name: str, status: str) -> str:
    outputs = [f"https://example.com/{name}.png"] if status == "completed" else []
    data = {"id": name, "model": "wavespeed-ai/flux-dev", "status": status, "outputs": outputs}
    return json.dumps({"code": 200, "message": "success", "data": data})


def response(status: int, body: str, *headers: str, kind: str = "application/json") -> bytes:
    head = (f"HTTP/1.1 {status} Taken", f"Content-Type: {kind}", f"Content-Length: {len(body)}", *headers)
    return "\r\n".join([*head, "", body]).encode()


@contextlib.contextmanager
def serving() -> Generator[tuple[Record, int, int]]:
    """Serve while the block runs, and yield the record, the port, and the port that closes connections."""
    record = Record()
    with contextlib.ExitStack() as stack:
        ports: list[int] = []
        for fate in ("", CLOSED):
            service = stack.enter_context(Service(("127.0.0.1", 0), partial(Connection, record, fate)))
            threading.Thread(target=service.serve_forever, args=(0.05,)).start()
            stack.callback(service.shutdown)
            ports.append(service.server_port)
        yield record, ports[0], ports[1]


def settle(record: Record, quiet: float = 0.3, longest: float = 5.0) -> None:
    """Wait until nothing more arrives, because a proxy's queue may deliver late."""
    end, before = time.monotonic() + longest, -1
    while before != len(record.owners) and time.monotonic() < end:
        before = len(record.owners)
        time.sleep(quiet)
