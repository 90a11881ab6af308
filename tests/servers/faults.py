"""A service in a separate process that fails on demand: `python -m tests.servers.faults` prints its port.

The input of a submission says what happens to it: `{"tag": ..., "fault": ..., "poll_fault": ...}`. Each fault strikes
once: the next request for the same tag, or task, succeeds. `GET /record` says how often each tag was submitted whole,
and how often each was accepted: what counts is what arrived here.

`StreamService` is what it is built on, and what other services in an event loop are built on.
"""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import json
import os
import signal
import socket
import struct
import subprocess
import sys
import threading
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import httpx

from tests.servers import raw

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

ROOT = Path(__file__).resolve().parents[2]


class HangupError(Exception):
    """The end of a connection: nothing more is sent on it."""


class StreamService:
    """A service in an event loop. It reads the requests of a connection one by one, and responds.

    Attributes:
        url: Where it listens, while `in_thread` lets it.
    """

    url: str = ""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                await self.converse(reader, writer)
        except (HangupError, ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    async def converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Read one request, and respond to it."""
        await self.respond(*await read(reader), writer)

    async def respond(self, method: str, path: str, body: bytes, writer: asyncio.StreamWriter) -> None:
        """Send the response to a request."""
        raise NotImplementedError


async def read(reader: asyncio.StreamReader) -> tuple[str, str, bytes]:
    """Read a request: its method, its path and its body."""
    lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    length = next((int(line[15:]) for line in lines if line.lower().startswith("content-length:")), 0)
    method, target, _ = lines[0].split()
    return method, target.partition("?")[0], await reader.readexactly(length)


AnyService = TypeVar("AnyService", bound=StreamService)


@contextlib.contextmanager
def in_thread(service: AnyService) -> Iterator[AnyService]:
    """Run a service in a thread until the context ends."""
    started, stop, loop = threading.Event(), asyncio.Event(), asyncio.new_event_loop()

    async def serve() -> None:
        server = await asyncio.start_server(service.serve, "127.0.0.1", 0)
        service.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        started.set()
        await stop.wait()
        server.close()
        open_ones = asyncio.all_tasks() - {asyncio.current_task()}
        for task in open_ones:
            task.cancel()
        await asyncio.gather(*open_ones, return_exceptions=True)

    thread = threading.Thread(target=lambda: loop.run_until_complete(serve()))
    thread.start()
    started.wait()
    try:
        yield service
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join()
        loop.close()


class FaultService(StreamService):
    """The state of one run, and the response to each request."""

    def __init__(self) -> None:
        self.arrived: Counter[str] = Counter()
        self.accepted: Counter[str] = Counter()
        self.struck: Counter[str] = Counter()
        self.struck_kinds: Counter[str] = Counter()
        self.connections: Counter[str] = Counter()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections["open"] += 1
        try:
            await super().serve(reader, writer)
        finally:
            self.connections["open"] -= 1

    async def converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        method, path, body = await read(reader)
        responding = asyncio.ensure_future(self.respond(method, path, body, writer))
        # A client that hangs up while it is kept waiting is noticed at once.
        hung_up = asyncio.ensure_future(reader.read(1)) if b"silence" in body or "silence" in path else responding
        await asyncio.wait({responding, hung_up}, return_when=asyncio.FIRST_COMPLETED)
        if not responding.done():
            responding.cancel()
            raise HangupError
        responding.result()

    async def respond(self, method: str, path: str, body: bytes, writer: asyncio.StreamWriter) -> None:
        if path == "/record":
            record = {"arrived": self.arrived, "accepted": self.accepted, "struck": self.struck_kinds}
            record["connections"] = self.connections
            await send(writer, 200, json.dumps(record).encode())
        elif method == "POST":
            await self.submit(json.loads(body), writer)
        else:
            await self.poll(path.removeprefix("/api/v3/predictions/").removesuffix("/result"), writer)

    async def submit(self, given: dict[str, Any], writer: asyncio.StreamWriter) -> None:
        tag, fault = str(given["tag"]), given.get("fault")
        self.arrived[tag] += 1
        task = f"{tag}-{given.get('poll_fault') or 'none'}"
        whole = envelope({"id": task, "status": "created", "outputs": []})
        if fault and self.strikes(f"submit {tag}", fault):
            if fault not in REFUSALS:
                self.accepted[tag] += 1
            await FAULTS[fault](writer, whole)
        else:
            self.accepted[tag] += 1
            await send(writer, 200, whole)

    async def poll(self, task: str, writer: asyncio.StreamWriter) -> None:
        fault = task.rpartition("-")[2]
        whole = envelope({"id": task, "status": "completed", "outputs": [f"https://example.com/{task}"]})
        if fault in FAULTS and self.strikes(f"poll {task}", fault):
            await FAULTS[fault](writer, whole)
        else:
            await send(writer, 200, whole)

    def strikes(self, what: str, kind: str) -> bool:
        """Return whether the fault happens this time. Stubborn faults happen every time."""
        self.struck[what] += 1
        strikes = self.struck[what] == 1 or kind in STUBBORN
        self.struck_kinds[kind] += strikes
        return strikes


def envelope(data: dict[str, Any]) -> bytes:
    return json.dumps({"code": 200, "message": "success", "data": data}).encode()


def message(status: int) -> bytes:
    return json.dumps({"code": status, "message": f"No ({status})."}).encode()


def head(status: int, length: int, *more: str) -> bytes:
    return raw.head(status, "Content-Type: application/json", f"Content-Length: {length}", *more)


async def send(writer: asyncio.StreamWriter, status: int, body: bytes, *more: str) -> None:
    writer.write(head(status, len(body), *more) + body)
    await writer.drain()


def responding(status: int, body: bytes, *more: str) -> Callable[..., Awaitable[None]]:
    async def fault(writer: asyncio.StreamWriter, whole: bytes) -> None:
        await send(writer, status, body, *more)

    return fault


def hanging_up(write: Callable[[bytes], bytes]) -> Callable[..., Awaitable[None]]:
    async def fault(writer: asyncio.StreamWriter, whole: bytes) -> None:
        writer.write(write(whole))
        await writer.drain()
        raise HangupError

    return fault


async def reset(writer: asyncio.StreamWriter, whole: bytes) -> None:
    connection = writer.get_extra_info("socket")
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()
    raise HangupError


async def reset_half_way(writer: asyncio.StreamWriter, whole: bytes) -> None:
    writer.write(head(200, len(whole)) + whole[:10])
    await writer.drain()
    await reset(writer, whole)


async def silence(writer: asyncio.StreamWriter, whole: bytes) -> None:
    await asyncio.sleep(30)
    raise HangupError


async def late(writer: asyncio.StreamWriter, whole: bytes) -> None:
    await asyncio.sleep(0.8)
    await send(writer, 200, whole)


async def drip_body(writer: asyncio.StreamWriter, whole: bytes) -> None:
    writer.write(head(200, 10_000))
    for _ in range(300):
        writer.write(b" ")
        await writer.drain()
        await asyncio.sleep(0.05)
    raise HangupError


async def drip_head(writer: asyncio.StreamWriter, whole: bytes) -> None:
    for byte in (b"HTTP/1.1 200 OK\r\nX-Long: " + b"x" * 300)[:300]:
        writer.write(bytes([byte]))
        await writer.drain()
        await asyncio.sleep(0.05)
    raise HangupError


FAULTS: dict[str, Callable[..., Awaitable[None]]] = {
    "close": hanging_up(lambda whole: b""),
    "truncated": hanging_up(lambda whole: head(200, len(whole)) + whole[:-5]),
    "garbage": hanging_up(lambda whole: b"\x16\x03\x01 what?\r\n\r\n"),
    "longlength": hanging_up(lambda whole: head(200, len(whole) + 50) + whole),
    "shortlength": hanging_up(lambda whole: head(200, len(whole) - 5) + whole),
    "badchunk": hanging_up(lambda whole: b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"),
    "halfhead": hanging_up(lambda whole: b"HTTP/1.1 200 OK\r\nContent-Ty"),
    "brokengzip": responding(200, gzip.compress(b"{}" * 100)[:-20], "Content-Encoding: gzip"),
    "reset": reset,
    "halfreset": reset_half_way,
    "silence": silence,
    "late": late,
    "dripbody": drip_body,
    "driphead": drip_head,
    "empty": responding(200, b""),
    "html": responding(200, b"<html>"),
    "redirect": responding(302, b"", "Location: http://127.0.0.1:9/"),
    "400": responding(400, message(400)),
    "429": responding(429, message(429)),
    "429hour": responding(429, message(429), "Retry-After: 3600"),
    "envelope429": responding(200, message(429)),
    "500": responding(500, message(500)),
    "500html": responding(500, b"<html>"),
    "502": responding(502, b"<html>"),
    "503": responding(503, message(503)),
    "504": responding(504, b""),
    "520": responding(520, b""),
}
# Nothing was started: the service itself says so.
REFUSALS = frozenset({"400", "429", "429hour", "envelope429", "500"})
STUBBORN = frozenset({"429hour", "silence", "dripbody", "driphead"})


@contextlib.contextmanager
def running() -> Iterator[str]:
    """Run a fault server in a separate process; yield its URL."""
    command = [sys.executable, "-m", "tests.servers.faults"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield f"http://127.0.0.1:{process.stdout.readline().strip()}"
        finally:
            process.send_signal(signal.SIGTERM)


def record(url: str) -> dict[str, Counter[str]]:
    """Return what arrived at the server."""
    response = httpx.get(f"{url}/record", trust_env=False).json()
    return {name: Counter(counts) for name, counts in response.items()}


async def main() -> None:
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    server = await asyncio.start_server(FaultService().serve, "127.0.0.1", 0, backlog=4096)
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await stop.wait()
    os._exit(0)  # silent connections would delay it


if __name__ == "__main__":
    asyncio.run(main())
