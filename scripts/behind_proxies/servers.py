"""Finds the servers that are installed, and runs one in front of the origin."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import socket
import subprocess
import time
from collections import defaultdict
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from string import Template
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from attrs import frozen

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping, Sequence

# Where Debian installs servers, which is not on every user's PATH.
MORE_FOLDERS = ("/usr/sbin", "/usr/local/sbin")
# Seconds within which a server must start, and must stop.
PATIENCE = 10.0


class StartError(Exception):
    """A server did not start."""


class Configuration(Template):
    delimiter = "@"  # for `$` is nginx's own


@frozen
class Server:
    """A supported server, which may be installed or not.

    Attributes:
        name: Its name, and that of its program.
        arguments: The program's arguments; `{config}` and `{folder}` are replaced.
        reload: The signal that makes it read its configuration again.
        forward: Whether the client reaches it by HTTP_PROXY instead of the base URL.
    """

    name: str
    arguments: Sequence[str]
    reload: signal.Signals = signal.SIGHUP
    forward: bool = False

    def program(self) -> str | None:
        """Find its program; None if it is not installed."""
        return shutil.which(self.name, path=os.pathsep.join([os.environ.get("PATH", os.defpath), *MORE_FOLDERS]))

    def version(self) -> str:
        """Return the version that its program prints, or a note that it is not installed."""
        if (program := self.program()) is None:
            return f"{self.name} is not installed: its configurations are skipped"
        done = subprocess.run([program, "-v"], capture_output=True, text=True, check=False, timeout=PATIENCE)
        return f"{self.name}: {(done.stdout + done.stderr).partition(chr(10))[0]}"

    def config(self, places: Mapping[str, object], more: Mapping[str, str]) -> str:
        """Return the configuration from its file, with paths and additional lines filled in."""
        # As root, nginx would run its workers under an account that cannot enter the folder.
        user = f"user {pwd.getpwuid(0).pw_name};" if os.geteuid() == 0 else ""
        lines = {name: Configuration(line).substitute(places) for name, line in more.items()}
        text = Path(__file__).with_name(f"{self.name}.conf").read_text("utf-8")
        return Configuration(text).substitute(defaultdict(str, {**places, "user": user, **lines}))


SERVERS = NGINX, HAPROXY, SQUID = (
    Server("nginx", ("-p", "{folder}", "-e", "{folder}/log", "-c", "{config}", "-g", "daemon off;")),
    Server("haproxy", ("-W", "-f", "{config}"), signal.SIGUSR2),
    Server("squid", ("-N", "-f", "{config}"), forward=True),
)


@contextmanager
def running(server: Server, more: Mapping[str, str], **origins: int) -> Generator[tuple[subprocess.Popen[bytes], int]]:
    """Run a server in front of the origin's ports while the block runs, and yield its process and port.

    Raises:
        StartError: It does not start.
    """
    with TemporaryDirectory() as folder, ExitStack() as stack:
        Path(folder).chmod(0o755)  # a server that drops root privileges must be able to enter it, too
        with socket.create_server(("127.0.0.1", 0)) as free:
            port: int = free.getsockname()[1]
        path, log = Path(folder, "config"), Path(folder, "log")
        path.write_text(server.config({"folder": folder, "port": port, **origins}, more), "utf-8")
        command = [
            server.program() or "",
            *(argument.format(config=path, folder=folder) for argument in server.arguments),
        ]
        with log.open("ab") as output:
            process = subprocess.Popen(command, stdout=output, stderr=output, start_new_session=True)
        stack.callback(_end, process)
        end = time.monotonic() + PATIENCE
        while process.poll() is None and time.monotonic() < end:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.05)
        else:
            raise StartError(" ".join(log.read_text("utf-8", "replace").split())[-300:] or "it prints nothing")
        yield process, port


def _end(process: subprocess.Popen[bytes]) -> None:
    """Stop a server and all its children: it has a session of its own."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        with suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        with suppress(subprocess.TimeoutExpired):
            process.wait(PATIENCE)
