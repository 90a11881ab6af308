"""The writer thread of a journal. While a transaction runs, requests queue; the next transaction commits them together.

Each transaction takes all requests of one kind, beginning with the kind of the request that has waited longest. While
requests come faster than transactions, these begin some milliseconds apart, so that each takes many requests: in this
process a transaction costs as much CPU as a hundred of its requests. A request that comes alone does not wait.

Each request gets a future. After a lost connection the writer connects again, with growing pauses. When a request has
waited too long, the writer gives up, and every current and queued future fails.
"""

from __future__ import annotations

import logging
import os
import random
import socket
import threading
from concurrent.futures import Future
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import psycopg
from attrs import define, field

from ...clock import Clock, Deadline
from ...errors import ConfigurationError, InvalidInputError, WaveSpeedError
from .arrivals import Arrivals
from .statements import BusyError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from .statements import Connection

R = TypeVar("R")
T = TypeVar("T")

logger = logging.getLogger("wavespeed_client")

# Least seconds from the start of a transaction with several requests to the next one.
PACE = 0.01
FIRST_PAUSE = 0.05
LONGEST_PAUSE = 5.0
# After a run was killed, the server needs a moment to release its lock.
SECONDS_TO_DIE = 2.0

# Errors of a database in trouble, or one that has just become a replica. Other errors are not retried.
PASSING = (psycopg.OperationalError, psycopg.InterfaceError, psycopg.errors.ReadOnlySqlTransaction)


@define(eq=False)
class Writer(Generic[R]):
    """A thread with a connection. In a forked child it does nothing: both belong to the parent.

    Attributes:
        connect: Makes a connection that is ready for use.
        carry_out: Carries out requests together, and returns the response to each. The last argument is whether an
            earlier try lost its connection, so that its result is unknown.
        shown: Removes secrets from a text.
        failure: Makes an error from the reason why nothing can be written.
        seconds: Seconds that a request waits at most.
        clock: A clock.
    """

    connect: Callable[[], Connection]
    carry_out: Callable[[Connection, Sequence[R], bool], Sequence[object]]
    shown: Callable[[str], str]
    failure: Callable[[str], WaveSpeedError]
    seconds: float
    clock: Clock = field(factory=Clock)
    _news: threading.Condition = field(init=False, factory=threading.Condition)
    _queue: list[tuple[R, Future[Any]]] = field(init=False, factory=list[tuple[R, "Future[Any]"]])
    _taken: list[tuple[R, Future[Any]]] = field(init=False, factory=list[tuple[R, "Future[Any]"]])
    _connection: Connection | None = field(init=False, default=None)
    _opened: Future[None] = field(init=False, factory=Future[None])
    _closing: bool = field(init=False, default=False)
    _trouble: str = field(init=False, default="it does not respond")
    _broken: str | None = field(init=False, default=None)
    _unwritten: list[R] = field(init=False, factory=list[R])
    _arrivals: Arrivals | None = field(init=False, default=None)
    _process: int = field(init=False, factory=os.getpid)
    _thread: threading.Thread | None = field(init=False, default=None)

    def start(self) -> Future[None]:
        """Start the thread. The future is done when it has connected. A failed first connection is not retried."""
        # A daemon, so that a journal that is never closed does not delay the end of the program.
        thread = threading.Thread(target=self._run, name="wavespeed-journal", daemon=True)
        try:
            thread.start()
        except RuntimeError as error:
            raise self.failure(str(error)) from error
        self._thread = thread
        return self._opened

    def ask(self, request: R) -> Future[Any]:
        """Queue a request. Return the future of its response.

        Raises:
            WaveSpeedError: Nothing can be written any more.
        """
        future: Future[Any] = Future()
        with self._news:
            if self._broken is not None or (self._closing and threading.current_thread() is not self._thread):
                raise self.failure(self._broken or "it is closed")
            self._queue.append((request, future))
            self._news.notify()
        return future

    def give_up(self, why: str | None = None) -> WaveSpeedError:
        """Write nothing more, and fail every request. Return the error."""
        with self._news:
            if self._broken is None:
                self._broken = why or self._trouble
                self._hang_up()
                waiting, self._taken, self._queue = [*self._taken, *self._queue], [], []
                self._unwritten = [request for request, _ in waiting]
                for _, future in waiting:
                    future.set_exception(self.failure(self._broken))
                self._news.notify()
            return self.failure(self._broken)

    def response(self, future: Future[T]) -> T:
        """Wait for a response.

        Raises:
            WaveSpeedError: The request failed.
        """
        try:
            return future.result(min(self.seconds, threading.TIMEOUT_MAX))
        except TimeoutError:
            raise self.give_up() from None

    async def aresponse(self, future: Future[T]) -> T:
        """Async response."""
        import asyncio

        self._arrivals = self._arrivals or Arrivals()
        # Cheaper than asyncio.timeout, and this runs four times per input. `give_up` fails the future awaited here.
        timer = asyncio.get_running_loop().call_later(self.seconds, self.give_up)
        try:
            await self._arrivals.wait(future)
        finally:
            timer.cancel()
        return future.result()

    def threads(self) -> list[int]:
        """Return the id of the thread."""
        return [self._thread.ident] if self._thread is not None and self._thread.ident is not None else []

    def leave(self) -> None:
        """Let the thread end when its queue is empty, without waiting for it."""
        with self._news:
            self._closing = True
            self._news.notify()

    def close(self) -> list[R]:
        """Wait until the queue is empty, and end. Return the requests that could not be carried out."""
        if os.getpid() != self._process or self._thread is None:
            return []
        self.leave()
        self._thread.join(min(self.seconds, threading.TIMEOUT_MAX))
        if self._thread.is_alive():
            self.give_up()
        return self._unwritten

    def _hang_up(self) -> None:
        """Interrupt a statement that does not end, by breaking the connection that the thread waits for."""
        if self._connection is not None:
            with suppress(OSError, psycopg.Error), socket.socket(fileno=os.dup(self._connection.fileno())) as stream:
                stream.shutdown(socket.SHUT_RDWR)

    # Called in the thread

    def _run(self) -> None:
        try:
            self._open()
            while self._take():
                several, pace = len(self._taken) > 1, Deadline.after(PACE, self.clock)
                self._settle(self._responses())
                if several:
                    self.clock.sleep(pace.left())
        except (psycopg.Error, WaveSpeedError) as error:
            self.give_up(self._said(error))
        except Exception as error:
            self.give_up(f"{type(error).__name__}: {self._said(error)}")
        finally:
            self._drop()

    def _open(self) -> None:
        end = Deadline.after(SECONDS_TO_DIE, self.clock)
        while not self._opened.done():
            try:
                self._connected()
                self._opened.set_result(None)
            except InvalidInputError as error:
                self._opened.set_exception(error.with_traceback(None))
                raise
            except Exception as error:
                if not isinstance(error, BusyError) or not end.left():
                    self._opened.set_exception(self.failure(self._said(error)))
                    raise
                self._rest(FIRST_PAUSE)

    def _said(self, error: Exception) -> str:
        return " ".join(self.shown(str(error)).split())

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
        requests = [request for request, _ in self._taken]
        while True:
            try:
                return self.carry_out(self._connected(), requests, again)
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
            for (_, future), response in zip(self._taken, responses, strict=False):
                future.set_result(response)
            self._taken = []

    def _rest(self, seconds: float) -> None:
        """Pause before the next try."""
        with self._news:
            seconds *= random.uniform(0.8, 1.2)  # noqa: S311 - so that many workers do not connect at once
            self._news.wait_for(lambda: self._broken is not None, seconds)
            self._check()

    def _connected(self) -> Connection:
        connection = self._connection or self.connect()
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
