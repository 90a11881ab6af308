"""The service behind the proxies, over raw sockets, in a process of its own: it counts what it takes.

An input says what happens to it: `{"tag": ..., "fate": ..., "delay": seconds}`. It has two ports: on the second one
every submission is taken and never answered. `GET /record` tells what was taken, and which task is whose.
"""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import json
import re
import subprocess
import sys
import time
from collections import Counter
from contextlib import contextmanager
from functools import partial
from itertools import count
from typing import TYPE_CHECKING, Any

from attrs import define, field, frozen

from counting import Record

if TYPE_CHECKING:
    from asyncio import StreamReader, StreamWriter
    from collections.abc import Generator

LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
RESULT = re.compile(r"/api/v3/predictions/([^/?]+)(/result)?")

# What may become of a submission that was taken.
ANSWERED = "answered"
CLOSED = "closed"
HALF_HEAD = "half a head"
HALF_BODY = "half a body"
BAD_GATEWAY = "502"
GATEWAY_TIMEOUT = "504"
MARKED = "marked"
# The header by which a proxy's rules recognise a marked answer.
MARK = "X-Held-Back"


class HangupError(Exception):
    """Nothing more is sent on this connection."""


@define
class Service:
    """What was taken, and the answer to each request."""

    taken: Counter[str] = field(factory=Counter[str])
    owners: dict[str, str] = field(factory=dict[str, str])
    _numbers: count[int] = field(factory=lambda: count(1))

    async def converse(self, reader: StreamReader, writer: StreamWriter, *, dies: bool) -> None:
        """Answer the requests of one connection."""
        with contextlib.suppress(HangupError, ConnectionError, asyncio.IncompleteReadError):
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = LENGTH.search(head)
                body = await reader.readexactly(int(length[1]) if length else 0)
                await self._answer(head.decode("latin-1"), body, writer, dies=dies)
                await writer.drain()
        writer.close()

    async def _answer(self, head: str, body: bytes, writer: StreamWriter, *, dies: bool) -> None:
        method, target, _ = head.split(maxsplit=2)
        if method == "POST":
            given: dict[str, Any] = json.loads(body)
            answer = self._take(str(given["tag"]))
            await asyncio.sleep(given["delay"])
            submitted(writer, answer, CLOSED if dies else given["fate"])
        elif target == "/record":
            writer.write(response(200, json.dumps({"taken": self.taken, "owners": self.owners})))
        elif (asked := RESULT.fullmatch(target)) and asked[1] in self.owners:
            writer.write(response(200, task(asked[1], "completed")))
        else:
            writer.write(response(404, json.dumps({"code": 404, "message": "There is no such task."})))

    def _take(self, tag: str) -> str:
        self.taken[tag] += 1
        name = f"task-{next(self._numbers):06}"
        self.owners[name] = tag
        return task(name, "created")


def submitted(writer: StreamWriter, answer: str, fate: str) -> None:
    """Answer a submission that was taken as its fate has it.

    Raises:
        HangupError: That is the end of the connection.
    """
    whole = response(200, answer)
    half = {CLOSED: b"", HALF_HEAD: whole[:30], HALF_BODY: whole[:-40]}
    if fate in half:
        writer.write(half[fate])
        raise HangupError
    if fate in (BAD_GATEWAY, GATEWAY_TIMEOUT):
        writer.write(response(int(fate), "<html>No.</html>", "Content-Type: text/html"))
    else:
        writer.write(response(200, answer, *([f"{MARK}: yes"] if fate == MARKED else [])))


def task(name: str, status: str) -> str:
    outputs = [f"https://example.com/{name}.png"] if status == "completed" else []
    data = {"id": name, "model": "wavespeed-ai/flux-dev", "status": status, "outputs": outputs}
    return json.dumps({"code": 200, "message": "success", "data": data})


def response(status: int, body: str, *headers: str) -> bytes:
    kind = () if any(line.startswith("Content-Type") for line in headers) else ("Content-Type: application/json",)
    lines = [f"HTTP/1.1 {status} {http.client.responses[status]}", *kind, f"Content-Length: {len(body)}", *headers]
    return "\r\n".join([*lines, "", body]).encode()


async def serve() -> None:
    """Serve until the standard input ends."""
    service = Service()
    servers = [
        await asyncio.start_server(partial(service.converse, dies=dies), "127.0.0.1", 0, backlog=1024)
        for dies in (False, True)
    ]
    print(*(server.sockets[0].getsockname()[1] for server in servers), flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


@frozen
class Origin:
    """Where the service listens.

    Attributes:
        port: Where it answers as the inputs say.
        dying: Where it takes each submission and closes the connection.
    """

    port: int
    dying: int

    def record(self) -> Record:
        """Ask what it has done."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        with contextlib.closing(connection):
            connection.request("GET", "/record")
            answer = json.loads(connection.getresponse().read())
        return Record(answer["taken"], answer["owners"])

    def settled(self, quiet: float = 0.3, longest: float = 5.0) -> Record:
        """Ask what it has done once nothing more arrives: a proxy's queue delivers late."""
        end, record = time.monotonic() + longest, self.record()
        while time.monotonic() < end:
            time.sleep(quiet)
            before, record = record, self.record()
            if before == record:
                break
        return record


@contextmanager
def serving() -> Generator[Origin]:
    """Run an origin while the block runs."""
    command = [sys.executable, __file__]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None  # noqa: S101 - both are pipes
        assert process.stdout is not None  # noqa: S101
        try:
            port, dying = process.stdout.readline().split()
            yield Origin(int(port), int(dying))
        finally:
            process.stdin.close()  # its sign to end


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(serve())
