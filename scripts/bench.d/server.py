"""The server that everything is measured against: server.c if it can be compiled here, else the same in Python."""

from __future__ import annotations

import http.client
import json
import os
import shutil
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import trustme
from attrs import frozen

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

HERE = Path(__file__).parent
DELAY_MS = 20


@frozen
class Server:
    """Where the server listens, what it is, and what trusts it."""

    kind: str
    plain: str
    delayed: str
    tls: str
    delayed_tls: str
    certificates: Path

    def requests(self) -> int:
        """How many requests it has had."""
        connection = http.client.HTTPConnection(self.plain.removeprefix("http://"))
        connection.request("GET", "/count")
        with connection.getresponse() as answer:
            return int(json.loads(answer.read())["count"])


@contextmanager
def serving(folder: Path) -> Generator[Server]:
    """A server, while the block runs. Its program and certificates are kept in the folder."""
    certificates = _certificates(folder)
    python = [sys.executable, str(HERE / "python_server.py")]
    if program := _compiled(folder, "-DWITH_TLS", "-lssl", "-lcrypto"):
        with _running([program], folder) as ports:
            yield _server("C", ports, certificates)
    elif program := _compiled(folder):  # no OpenSSL to build with
        with _running([program], folder) as ports, _running(python, folder) as others:
            yield _server("C, and Python for TLS", [*ports[:2], *others[2:]], certificates)
    else:
        with _running(python, folder) as ports:
            yield _server("Python", ports, certificates)


def _server(kind: str, ports: Sequence[int], certificates: Path) -> Server:
    plain, delayed, tls, delayed_tls = (f"127.0.0.1:{port}" for port in ports)
    return Server(
        kind, f"http://{plain}", f"http://{delayed}", f"https://{tls}", f"https://{delayed_tls}", certificates
    )


def _compiled(folder: Path, *options: str) -> str | None:
    compiler, program = shutil.which(os.environ.get("CC", "cc")), folder / "server"
    if compiler is None:
        return None
    command = [compiler, "-O2", "-o", str(program), str(HERE / "server.c"), *options]
    done = subprocess.run(command, capture_output=True, check=False)
    return str(program) if done.returncode == 0 else None


@contextmanager
def _running(command: list[str], folder: Path) -> Generator[list[int]]:
    arguments = [str(DELAY_MS), str(folder / "server.pem"), str(folder / "server.key")]
    with subprocess.Popen([*command, *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None  # noqa: S101 - both are pipes
        assert process.stdout is not None  # noqa: S101
        try:
            yield [int(port) for port in process.stdout.readline().split()]
        finally:
            process.stdin.close()  # its sign to end


def _certificates(folder: Path) -> Path:
    authority = trustme.CA()
    issued = authority.issue_cert("127.0.0.1")
    authority.cert_pem.write_to_path(str(folder / "authority.pem"))
    issued.private_key_pem.write_to_path(str(folder / "server.key"))
    for number, part in enumerate(issued.cert_chain_pems):
        part.write_to_path(str(folder / "server.pem"), append=number > 0)
    return folder / "authority.pem"
