"""Storage hosts for tests of uploads and downloads."""

import errno
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import trustme

from tests.servers.raw import RawRequest, RawServer, head, serving

MEBIBYTE = bytes(1 << 20)


def not_permitted(path: Path, target: Path) -> None:
    """Refuse to link or rename, as some file systems do."""
    raise OSError(errno.EPERM, "Operation not permitted")


def closing(status: int, length: int, *headers: str) -> bytes:
    return head(status, f"Content-Length: {length}", "Connection: close", *headers)


class Storage(RawServer):
    """A storage host: /bytes/N has N bytes and no Content-Type, /hop/N leads there by N redirects.

    Attributes:
        status: The status of the response to a PUT.
        typed: What else it has under a path: Content-Type and bytes.
        together: Lets no GET go on before this many have come.
        at_once: How many GETs there were when each came.
    """

    def __init__(self) -> None:
        super().__init__(self._response)
        self.status = 200
        self.typed: dict[str, tuple[str, bytes]] = {}
        self.together: threading.Barrier | None = None
        self.at_once: list[int] = []
        self._lock = threading.Lock()
        self._now = 0

    @property
    def puts(self) -> list[RawRequest]:
        return [request for request in self.requests if request.startswith(b"PUT")]

    @property
    def gets(self) -> list[RawRequest]:
        return [request for request in self.requests if request.startswith(b"GET")]

    @property
    def paths(self) -> list[str]:
        """The paths of the GETs."""
        return [request.path for request in self.gets]

    def _response(self, request: RawRequest) -> bytes | Iterator[bytes]:
        if request.startswith(b"PUT"):
            return closing(self.status, 0, "Location: /elsewhere")
        return self._file(request.path)

    def _file(self, path: str) -> Iterator[bytes]:
        with self._counted():
            if path in self.typed:
                content_type, content = self.typed[path]
                yield closing(200, len(content), *[f"Content-Type: {content_type}"] * bool(content_type)) + content
                return
            kind, number = f"{path}/".split("/")[1:3]
            if kind == "hop":
                yield closing(302, 0, f"Location: /hop/{int(number) - 1}" if number != "1" else "Location: /bytes/5")
            elif kind == "away":
                yield closing(307, 0, "Location: file:///etc/passwd")
            else:
                yield closing(404 if kind == "refused" else 200, int(number))
                for _ in range(int(number) >> 20):
                    yield MEBIBYTE
                yield b"x" * (int(number) % (1 << 20))

    @contextmanager
    def _counted(self) -> Iterator[None]:
        """Count concurrent GETs, and hold this one until `together` has as many as it waits for."""
        with self._lock:
            self._now += 1
            self.at_once.append(self._now)
        try:
            if self.together is not None:
                self.together.wait(20)
            yield
        finally:
            with self._lock:
                self._now -= 1


@pytest.fixture
def storage() -> Iterator[Storage]:
    server = Storage()
    yield server
    server.close()


class Half(RawServer):
    """A storage host that sends half of a file, and the rest when a test allows it."""

    def __init__(self) -> None:
        super().__init__(self._response)
        self.rest = threading.Event()
        self.url += "/1.jpeg"

    def _response(self, request: RawRequest) -> Iterator[bytes]:
        yield closing(200, 100_000)
        yield b"x" * 50_000
        if self.rest.wait(20):
            yield b"x" * 50_000


@pytest.fixture
def half() -> Iterator[Half]:
    server = Half()
    yield server
    server.rest.set()
    server.close()


@pytest.fixture(scope="session")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def tls_server(authority: trustme.CA, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: Any) -> Iterator[RawServer]:
    trusted: Path = tmp_path_factory.mktemp("trusted") / "authority.pem"
    authority.cert_pem.write_to_path(str(trusted))
    monkeypatch.setenv("SSL_CERT_FILE", str(trusted))
    monkeypatch.delenv("SSL_CERT_DIR", raising=False)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    with serving(tls=context) as server:
        yield server


@pytest.fixture(params=["raw_server", "tls_server"])
def any_server(request: pytest.FixtureRequest) -> RawServer:
    """A host that sends exact bytes, over plain HTTP and over TLS."""
    server: RawServer = request.getfixturevalue(request.param)
    return server
