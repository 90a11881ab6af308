"""Finds the servers that are installed, and runs one in front of the origin."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from attrs import frozen

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence
    from pathlib import Path

# Where Debian puts servers, which is not on everybody's PATH.
MORE_FOLDERS = ("/usr/sbin", "/usr/local/sbin")
# Seconds in which a server has to begin, and to end.
PATIENCE = 10.0


class StartError(Exception):
    """A server does not start."""


@frozen
class Places:
    """Where everything is.

    Attributes:
        folder: Where the server keeps its files.
        port: Where it listens.
        origin: The origin's port.
        dying: The origin's port that takes all and answers nothing.
    """

    folder: Path
    port: int
    origin: int
    dying: int


@frozen
class Server:
    """A server that may be installed.

    Attributes:
        name: Its name, and its program's.
        arguments: What the program is started with; `{config}` and `{folder}` are filled in.
        forward: Whether it is one that HTTP_PROXY names, and not one that a base URL leads to.
    """

    name: str
    arguments: Sequence[str]
    forward: bool = False

    def program(self) -> str | None:
        """Find its program; None if it is not installed."""
        return shutil.which(self.name, path=os.pathsep.join([os.environ.get("PATH", os.defpath), *MORE_FOLDERS]))


SERVERS = (
    Server("nginx", ("-p", "{folder}", "-e", "{folder}/log", "-c", "{config}", "-g", "daemon off;")),
    Server("haproxy", ("-W", "-f", "{config}")),
    Server("squid", ("-N", "-f", "{config}"), forward=True),
)


def version(program: str) -> str:
    """Return what a program says is its version."""
    done = subprocess.run([program, "-v"], capture_output=True, text=True, check=False, timeout=PATIENCE)
    return (done.stdout + done.stderr).partition("\n")[0]


@contextmanager
def running(server: Server, program: str, config: str, places: Places) -> Generator[subprocess.Popen[bytes]]:
    """Run a server while the block runs.

    Raises:
        StartError: It does not start.
    """
    path, log = places.folder / "config", places.folder / "log"
    path.write_text(config, "utf-8")
    arguments = [argument.format(config=path, folder=places.folder) for argument in server.arguments]
    with log.open("ab") as output:
        process = subprocess.Popen([program, *arguments], stdout=output, stderr=output, start_new_session=True)
    try:
        _await_start(process, places.port, log)
        yield process
    finally:
        _end(process)


def reload(process: subprocess.Popen[bytes], server: Server) -> None:
    """Let a server read its configuration again, as its own command to reload does."""
    process.send_signal(signal.SIGUSR2 if server.name == "haproxy" else signal.SIGHUP)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


def _await_start(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    end = time.monotonic() + PATIENCE
    while process.poll() is None and time.monotonic() < end:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise StartError(" ".join(log.read_text("utf-8", "replace").split())[-300:] or "it says nothing")


def _end(process: subprocess.Popen[bytes]) -> None:
    """End a server, and whatever it has started: its session is its own."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        with suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        with suppress(subprocess.TimeoutExpired):
            process.wait(PATIENCE)
