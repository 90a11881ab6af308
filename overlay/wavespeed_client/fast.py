"""The fast transport of WaveSpeed: pyreqwest, of the extra `fast`, as the last link of the chain."""

from __future__ import annotations

import sys
import threading
import weakref
from datetime import timedelta
from os import environ
from queue import SimpleQueue
from typing import TYPE_CHECKING, TypeVar

import httpx
from pyreqwest.client import SyncClientBuilder
from pyreqwest.exceptions import (
    BuilderError,
    DetailedPyreqwestError,
    PyreqwestError,
    RequestPanicError,
    RequestTimeoutError,
)
from pyreqwest.proxy import ProxyBuilder

from .connection import CONNECT_SHARE, CONNECTIONS, tls_context, web_proxy_for
from .errors import ConfigurationError
from .pools import KEEPALIVE_SECONDS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pyreqwest.client import SyncClient
    from pyreqwest.request import SyncRequestBuilder, SyncStreamRequest
    from pyreqwest.response import SyncResponse

    from .settings import Settings

T = TypeVar("T")

# What hyper calls an error of its connector, before it has a connection to write to. pyreqwest's own classes do not
# tell: they call a reset connection, and even an answer that is late, a failed connect.
NEVER_CONNECTED = "client error (Connect)"


class FastTransport(httpx.BaseTransport):
    """The last link when the fast transport was asked for."""

    def __init__(self, settings: Settings) -> None:
        self._client = _client(settings)
        self._calls = InterruptibleCalls()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        seconds = request.extensions["timeout"]["read"]
        builder = self._client.request(request.method, str(request.url)).headers(request.headers.multi_items())
        builder = builder.timeout(timedelta(seconds=seconds)).streamed_read_buffer_limit(1)
        exchange = _with_body(builder, request).build_streamed()
        try:
            answer = self._calls.make(exchange.__enter__)
        except PyreqwestError as error:
            raise as_httpx(error) from error
        body = Body(exchange, answer, self._calls)
        return httpx.Response(answer.status, headers=list(answer.headers.items()), stream=body)

    def close(self) -> None:
        self._client.close()
        self._calls.end()


def _with_body(builder: SyncRequestBuilder, request: httpx.Request) -> SyncRequestBuilder:
    try:
        return builder.body_bytes(request.content)
    except httpx.RequestNotRead:
        if not isinstance(request.stream, httpx.SyncByteStream):
            raise ConfigurationError("A sync client needs a body that can be read without await.") from None
        return builder.body_stream(request.stream)


def _client(settings: Settings) -> SyncClient:
    builder = SyncClientBuilder().no_proxy().follow_redirects(False).referer(False)
    builder = builder.gzip(False).deflate(False).brotli(False).zstd(False)
    builder = builder.connect_timeout(timedelta(seconds=settings.timeout * CONNECT_SHARE))
    builder = builder.pool_max_idle_per_host(CONNECTIONS)
    builder = builder.pool_idle_timeout(timedelta(seconds=KEEPALIVE_SECONDS))
    _check_certificates()
    try:
        if proxy := web_proxy_for(settings.base_url):
            builder = builder.proxy(ProxyBuilder.all(proxy))
        return builder.build()
    except BuilderError as error:
        message = f"The fast transport cannot be built from the proxy variables and SSL_CERT_FILE ({_reason(error)})."
        raise ConfigurationError(message) from error
    except RuntimeError as error:
        raise ConfigurationError(f"The fast transport cannot be built in this process: {error}") from error


def _check_certificates() -> None:
    """Refuse what cannot be kept: where the system itself checks certificates, it trusts its own in any case."""
    named = [name for name in ("SSL_CERT_FILE", "SSL_CERT_DIR") if environ.get(name)]
    if named and sys.platform in ("darwin", "win32"):
        raise ConfigurationError(
            f"{named[0]} cannot limit the fast transport on this system, which trusts the system's own certificates: "
            "pass transport='httpx', or unset it."
        )
    if named:
        tls_context()  # says what is wrong with them, while pyreqwest passes over what it cannot read


def as_httpx(error: PyreqwestError) -> httpx.TransportError:
    """The same as an error of httpx's. A failed connect is one only where it is certain that nothing was sent."""
    late, reason = isinstance(error, RequestTimeoutError), _reason(error)
    if NEVER_CONNECTED not in _causes(error):
        return httpx.ReadTimeout(reason) if late else httpx.ReadError(reason)
    if reason.startswith("tunnel error"):
        return httpx.ProxyError(reason)
    return httpx.ConnectTimeout(reason) if late else httpx.ConnectError(reason)


def _causes(error: PyreqwestError) -> list[str]:
    if not isinstance(error, DetailedPyreqwestError) or isinstance(error, RequestPanicError):
        return []
    return [cause["message"] for cause in error.details["causes"] or []]


def _reason(error: PyreqwestError) -> str:
    # The first of the causes has the URL, with a webhook's token in it.
    return (_causes(error) or [error.message])[-1]


class Body(httpx.SyncByteStream):
    """The body of an answer, in pieces as they come."""

    def __init__(self, exchange: SyncStreamRequest, answer: SyncResponse, calls: InterruptibleCalls) -> None:
        self._exchange = exchange
        self._read = answer.body_reader.read_chunk
        length = answer.get_header("Content-Length") or ""
        self._left = int(length) if length.isdecimal() else -1
        self._calls = calls

    def __iter__(self) -> Iterator[bytes]:
        try:
            piece = self._read()  # it has come with the header: there is no waiting for it
            while piece is not None:
                yield bytes(piece)
                self._left -= len(piece)
                piece = self._calls.make(self._read) if self._left else self._read()
        except PyreqwestError as error:
            raise as_httpx(error) from error

    def close(self) -> None:
        self._exchange.__exit__(None, None, None)


class InterruptibleCalls:
    """Lets Ctrl-C end calls that no signal can end.

    Python tells of Ctrl-C on the main thread only, so there a call is made on a thread beside it. What is still
    under way after Ctrl-C ends with its own timeout, or when the transport is closed.
    """

    def __init__(self) -> None:
        self._jobs: SimpleQueue[Callable[[], None] | None] | None = None
        self._thread: threading.Thread | None = None

    def make(self, call: Callable[[], T]) -> T:
        """What the call returns or raises."""
        if threading.current_thread() is not threading.main_thread():
            return call()
        results: list[T] = []
        errors: list[BaseException] = []
        done: SimpleQueue[None] = SimpleQueue()

        def job() -> None:
            try:
                results.append(call())
            except BaseException as error:
                errors.append(error)
            done.put(None)

        if self._jobs is None:
            self._jobs = self._start()
        self._jobs.put(job)
        try:
            done.get()
        except BaseException:
            self._dismiss()
            raise
        if errors:
            raise errors.pop()
        return results.pop()

    def end(self) -> None:
        """End the thread. Its last call has ended, or ends at once because the transport is closed."""
        self._dismiss()
        if self._thread is not None:
            self._thread.join(timeout=1.0)

    def _start(self) -> SimpleQueue[Callable[[], None] | None]:
        jobs: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        # A daemon: a program that is told to end does not wait for an answer.
        self._thread = threading.Thread(target=_work, args=(jobs,), name="wavespeed-client", daemon=True)
        self._thread.start()
        weakref.finalize(self, jobs.put, None)
        return jobs

    def _dismiss(self) -> None:
        # The thread ends after its call; the next call gets a new one.
        if self._jobs is not None:
            self._jobs.put(None)
            self._jobs = None


def _work(jobs: SimpleQueue[Callable[[], None] | None]) -> None:
    while (job := jobs.get()) is not None:
        job()
