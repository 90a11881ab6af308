"""The stand-in of server.c for machines without a C compiler or OpenSSL's headers: slower, but the same answers."""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
import ssl
import sys
import time
from itertools import count

BODY = 364
TASK = re.compile(rb"predictions/(t(\d+)-\d+)")
TAKES = re.compile(rb"takes-(\d+)")
LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)

numbers = count(1)
requests = count()


def body_of(head: bytes) -> bytes:
    """The answer to a request."""
    seen = next(requests)
    if head.startswith(b"GET /count "):
        return json.dumps({"count": seen}).encode()
    now = time.monotonic_ns() // 1_000_000
    if head.startswith(b"POST "):
        takes = TAKES.search(head)
        due = now + (int(takes[1]) if takes else 0)
        name, status = f"t{due:013}-{next(numbers):010}", "created"
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
    text = json.dumps({"code": 200, "message": "success", "data": data}, separators=(",", ":"))
    return (text[:-2] + " " * (BODY - len(text)) + "}}").encode()


class Connection(asyncio.Protocol):
    """One keep-alive connection."""

    def __init__(self, delay: float) -> None:
        self._delay = delay
        self._received = b""
        self._transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - tells the type checkers what asyncio promises
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
        answer = head + body
        if self._delay:
            asyncio.get_running_loop().call_later(self._delay, self._transport.write, answer)
        else:
            self._transport.write(answer)


async def serve(delay: float, certificate: str, key: str) -> None:
    """Serve on four ports, as server.c does, until the standard input ends."""
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificate, key)
    loop = asyncio.get_running_loop()
    kinds = ((0.0, None), (delay, None), (0.0, tls), (delay, tls))
    servers = [
        await loop.create_server(lambda pause=pause: Connection(pause), "127.0.0.1", 0, ssl=context, backlog=16384)
        for pause, context in kinds
    ]
    print(*(server.sockets[0].getsockname()[1] for server in servers), flush=True)
    await loop.run_in_executor(None, sys.stdin.read)


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(serve(float(sys.argv[1]) / 1000, *sys.argv[2:4]))
