"""The writer thread of a journal. While the database works, requests queue; then those of one kind are carried out
together, most of them in one transaction.

Each turn takes all requests of one kind, beginning with the kind of the request that has waited longest. While
requests come faster than transactions, these begin some milliseconds apart, so that each takes many requests: in this
process a transaction costs as much CPU as a hundred of its requests. A request that comes alone does not wait.

After a lost connection the writer connects again, with growing pauses. When a request has waited too long, the writer
gives up, and every current and queued request fails.
"""

from __future__ import annotations

import logging
import os
import random
import socket
import threading
from concurrent.futures import Future
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

import psycopg
from attrs import define, field

from ...clock import Clock, Deadline
from ...errors import ConfigurationError, InvalidInputError, WaveSpeedError
from .statements import BusyError

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Awaitable, Callable, Sequence

    from .ledger import Ledger
    from .requests import Request
    from .statements import Connection


logger = logging.getLogger("wavespeed_client")

# Least seconds from the start of a transaction with several requests to the next one.
PACE = 0.01
FIRST_PAUSE = 0.05
LONGEST_PAUSE = 5.0
# After a run was killed, the server needs a moment to release its lock.
SECONDS_TO_DIE = 2.0

# Errors of a database in trouble, or one that has just become a replica. Other errors are not retried.
PASSING = (psycopg.OperationalError, psycopg.InterfaceError, psycopg.errors.ReadOnlySqlTransaction)


# The future of a response, in an event loop or not.
Promise: TypeAlias = "Future[Any] | asyncio.Future[Any]"
P = TypeVar("P", bound=Promise)
T = TypeVar("T")
# A request, the future of its response, and the time by which the response must have come.
Waiting: TypeAlias = "tuple[Request[Any], Promise, float]"


@define(eq=False)
class Writer:
    """A thread with a connection. Closing it in a forked child does nothing: both belong to the parent.

    An `AsyncWriter` returns awaitables instead of blocking.

    Attributes:
        ledger: Connects to the database, and carries out the requests.
        seconds: Seconds that a request waits at most.
        clock: A clock.
    """

    ledger: Ledger
    seconds: float
    clock: Clock = field(factory=Clock)
    _news: threading.Condition = field(init=False, factory=threading.Condition)
    _queue: list[Waiting] = field(init=False, factory=list[Waiting])
    _taken: list[Waiting] = field(init=False, factory=list[Waiting])
    _connection: Connection | None = field(init=False, default=None)
    _closing: bool = field(init=False, default=False)
    _trouble: str = field(init=False, default="it does not respond")
    _broken: str | None = field(init=False, default=None)
    _opened: Future[None] = field(init=False, factory=Future[None])
    _process: int = field(init=False, factory=os.getpid)
    _thread: threading.Thread | None = field(init=False, default=None)

    def open(self) -> Awaitable[None] | None:
        """Start the thread, and return when it has connected. A failed first connection is not retried.

        Raises:
            InvalidInputError: This run cannot use the database.
            WaveSpeedError: There is no connection.
        """
        try:
            return self._result(self._start())
        except BaseException:
            self.leave()
            raise

    def response(self, request: Request[T]) -> Awaitable[T] | T:
        """Carry out a request, and return the response.

        Raises:
            WaveSpeedError: The request failed.
        """
        return self._result(self.enqueue(request, Future[T]()))

    def enqueue(self, request: Request[Any], promise: P) -> P:
        """Add a request to the queue, and return the future of its response.

        Raises:
            WaveSpeedError: Nothing can be written any more.
        """
        with self._news:
            broken = self._broken or ("it is closed" if self._closing else None)
            if broken is None:
                self._queue.append((request, promise, self.clock.now() + self.seconds))
                self._news.notify()
                return promise
        self.ledger.unwritten([request])
        raise self.ledger.failure(broken)

    def give_up(self, why: str | None = None) -> WaveSpeedError:
        """Write nothing more, and fail every request. Return the error."""
        with self._news:
            self._broken = broken = self._broken or why or self._trouble
            self._hang_up()
            waiting, self._taken, self._queue = [*self._taken, *self._queue], [], []
            self._news.notify()
        self._deliver(partial(_fulfil, waiting, [self.ledger.failure(broken) for _ in waiting]))
        self.ledger.unwritten([request for request, _, _ in waiting])
        return self.ledger.failure(broken)

    def threads(self) -> list[int]:
        """Return the id of the thread."""
        return [self._thread.ident] if self._thread is not None and self._thread.ident is not None else []

    def leave(self) -> None:
        """Let the thread end when its queue is empty, without waiting for it."""
        with self._news:
            self._closing = True
            self._news.notify()

    def close(self) -> Awaitable[None] | None:
        """Wait until the queue is empty, and end."""
        if os.getpid() != self._process or self._thread is None:
            return None
        self.leave()
        self._thread.join(min(self.seconds, threading.TIMEOUT_MAX))
        if self._thread.is_alive():
            self.give_up()
        return None

    def _start(self) -> Future[None]:
        # A daemon, so that a journal that is never closed does not delay the end of the program.
        thread = threading.Thread(target=self._run, name="wavespeed-journal", daemon=True)
        try:
            thread.start()
        except RuntimeError as error:
            raise self.ledger.failure(str(error)) from error
        self._thread = thread
        return self._opened

    def _result(self, future: Future[T]) -> T:
        try:
            return future.result(min(self.seconds, threading.TIMEOUT_MAX))
        except TimeoutError:
            raise self.give_up() from None

    def _deliver(self, settle: Callable[[], None]) -> None:
        """Set the results of futures, in the thread that may do so."""
        settle()

    def _hang_up(self) -> None:
        """Interrupt a statement that does not end, by breaking the connection that the thread waits for."""
        if self._connection is not None:
            with suppress(OSError, psycopg.Error), socket.socket(fileno=os.dup(self._connection.fileno())) as stream:
                stream.shutdown(socket.SHUT_RDWR)

    # Called in the thread

    def _run(self) -> None:
        try:
            self._open()
            self._opened.set_result(None)
            while self._take():
                several, pace = len(self._taken) > 1, Deadline.after(PACE, self.clock)
                self._settle(self._responses())
                if several:
                    self.clock.sleep(pace.left())
        except Exception as error:
            failure = self.give_up(self._said(error))
            if not self._opened.done():
                self._opened.set_exception(
                    error.with_traceback(None) if isinstance(error, InvalidInputError) else failure
                )
        finally:
            self._drop()

    def _open(self) -> None:
        end = Deadline.after(SECONDS_TO_DIE, self.clock)
        while self._connection is None:
            try:
                self._connected()
            except BusyError:
                if not end.left():
                    raise
                self._rest(FIRST_PAUSE)

    def _said(self, error: Exception) -> str:
        name = "" if isinstance(error, psycopg.Error | WaveSpeedError) else f"{type(error).__name__}: "
        return name + " ".join(self.ledger.shown(str(error)).split())

    def _take(self) -> bool:
        """Wait for requests, and take all of the kind that has waited longest. Return False at the end."""
        with self._news:
            while not self._queue and not self._closing and self._broken is None:
                self._news.wait()
            if self._queue:
                kind = type(self._queue[0][0])
                self._taken = [waiting for waiting in self._queue if type(waiting[0]) is kind]
                self._queue = [waiting for waiting in self._queue if type(waiting[0]) is not kind]
            return bool(self._taken)

    def _responses(self) -> Sequence[object]:
        pause, again = FIRST_PAUSE, False
        requests = [request for request, _, _ in self._taken]
        while True:
            try:
                return self.ledger.carry_out(self._connected(), requests, again)
            except PASSING as error:
                self._drop()
                self._trouble = self._said(error)
            if not again:
                logger.warning("The journal's database does not work, nothing is sent meanwhile: %s", self._trouble)
            again = True
            self._rest(pause)
            pause = min(2 * pause, LONGEST_PAUSE)

    def _settle(self, responses: Sequence[object]) -> None:
        with self._news:
            taken, self._taken = self._taken, []
        self._deliver(partial(_fulfil, taken, responses))

    def _rest(self, seconds: float) -> None:
        """Pause before the next try."""
        with self._news:
            seconds *= random.uniform(0.8, 1.2)  # noqa: S311 - so that many workers do not connect at once
            self._news.wait_for(lambda: self._broken is not None, seconds)
            self._check()

    def _connected(self) -> Connection:
        connection = self._connection or self.ledger.connect()
        with self._news:
            self._connection = connection
            self._check()
        return connection

    def _check(self) -> None:
        if self._broken is not None:
            raise ConfigurationError(self._broken)

    def _drop(self) -> None:
        with self._news:
            connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(psycopg.Error):
                connection.close()


def _fulfil(waiting: Sequence[Waiting], responses: Sequence[object]) -> None:
    """Set the results of futures, or their errors, except where nobody waits any more."""
    for (_, promise, _), response in zip(waiting, responses, strict=False):
        if promise.done():
            continue
        if isinstance(response, Exception):
            promise.set_exception(response)
        else:
            promise.set_result(response)
