"""The service for all measurements, in a separate process.

POST /...takes-MS... creates a task that completes after MS milliseconds; any other POST creates a completed task.
The task's id says when it completes, so the server stores nothing. GET /count returns the number of earlier requests.
"""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import json
import re
import resource
import ssl
import subprocess
import sys
import time
from functools import partial
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

import trustme
from attrs import frozen

if TYPE_CHECKING:
    from collections.abc import Generator

DELAY_SECONDS = 0.02
TASK = re.compile(rb"predictions/(t(\d+)-\d+)")
TAKES = re.compile(rb"takes-(\d+)")
LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)

numbers = count(1)
requests = count()


def body_of(head: bytes) -> bytes:
    """Return the body of the response to a request."""
    seen = next(requests)
    if head.startswith(b"GET /count "):
        return json.dumps({"count": seen}).encode()
    now = time.monotonic_ns() // 1_000_000
    if head.startswith(b"POST "):
        takes = TAKES.search(head)
        name, status = f"t{now + (int(takes[1]) if takes else 0):013}-{next(numbers):010}", "created"
    else:
        found = TASK.search(head)
        name = found[1].decode() if found else ""
        status = "processing" if found and int(found[2]) > now else "completed"
    data = {
        "id": name,
        "model": "wavespeed-ai/flux-dev",
        "status": status,
        "outputs": ["https://example.com/1.png"] if status == "completed" else [],
        "urls": {"get": f"https://api.wavespeed.ai/api/v3/predictions/{name}/result"},
        "created_at": "2026-11-22T10:00:00.000Z",
        "error": "",
        "timings": {"inference": 0},
    }
    return json.dumps({"code": 200, "message": "success", "data": data}, separators=(",", ":")).encode()


class Connection(asyncio.Protocol):
    """One keep-alive connection, with one request after another."""

    def __init__(self, delay: float) -> None:
        self._delay = delay
        self._received = b""
        self._transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - tells type checkers what asyncio guarantees
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, found, rest = self._received.partition(b"\r\n\r\n")
        length = LENGTH.search(head)
        if not found or len(rest) < (int(length[1]) if length else 0):
            return
        self._received = b""
        body = body_of(head)
        head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body)
        if self._delay:
            asyncio.get_running_loop().call_later(self._delay, self._transport.write, head + body)
        else:
            self._transport.write(head + body)


async def serve(folder: Path) -> None:
    """Serve without a delay, with one, and over TLS, until the standard input ends."""
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(folder / "server.pem")
    loop = asyncio.get_running_loop()
    servers = [
        await loop.create_server(partial(Connection, delay), "127.0.0.1", 0, ssl=context, backlog=16384)
        for delay, context in ((0.0, None), (DELAY_SECONDS, None), (0.0, tls))
    ]
    print(*(server.sockets[0].getsockname()[1] for server in servers), flush=True)
    await loop.run_in_executor(None, sys.stdin.read)


@frozen
class Server:
    """Where the server listens, and the certificate authority to trust.

    Attributes:
        plain: Responds at once.
        delayed: Responds after DELAY_SECONDS.
        tls: Responds at once, over TLS.
        authority: The file of the authority's certificate.
    """

    plain: str
    delayed: str
    tls: str
    authority: Path

    def requests(self) -> int:
        """Return how many requests the server has received before this one."""
        with contextlib.closing(http.client.HTTPConnection(self.plain.removeprefix("http://"))) as connection:
            connection.request("GET", "/count")
            return int(json.loads(connection.getresponse().read())["count"])


@contextlib.contextmanager
def serving(folder: Path) -> Generator[Server]:
    """Run a server while the block runs. Its certificates are kept in the folder."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(folder / "authority.pem"))
    authority.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(str(folder / "server.pem"))
    command = [sys.executable, "-m", "benchmarks.server", str(folder)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None  # noqa: S101 - both are pipes
        assert process.stdout is not None  # noqa: S101
        try:
            plain, delayed, tls = (f"127.0.0.1:{port}" for port in process.stdout.readline().split())
            yield Server(f"http://{plain}", f"http://{delayed}", f"https://{tls}", folder / "authority.pem")
        finally:
            process.stdin.close()  # this stops the server


def main() -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(serve(Path(sys.argv[1])))


if __name__ == "__main__":
    main()
