"""The writer: it commits together what has queued, and forgets no waiter, whatever the database does."""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import threading
from collections.abc import Callable, Coroutine, Iterator, Sequence
from concurrent.futures import Future
from functools import partial
from typing import Any

import psycopg
import pytest
from attrs import define, field

from tests.conftest import TestClock
from wavespeed_client import ConfigurationError, InvalidInputError
from wavespeed_client.batch.postgres import writer
from wavespeed_client.batch.postgres.async_writer import AsyncWriter
from wavespeed_client.batch.postgres.statements import BusyError
from wavespeed_client.batch.postgres.writer import PACE, Writer

pytestmark = pytest.mark.promise("database-outage")

LONG = 60.0


@define
class Database:
    """A stand-in for a database: it responds to each request by itself unless a test sets up trouble."""

    groups: list[list[Any]] = field(factory=list)
    tries: list[bool] = field(factory=list)
    trouble: list[Exception] = field(factory=list)
    unreachable: list[Exception] = field(factory=list)
    lost: list[Any] = field(factory=list)
    connections: int = 0
    closed: int = 0
    takes: Callable[[], object] = object
    busy: threading.Event = field(factory=threading.Event)
    free: threading.Event = field(factory=threading.Event)
    _far: list[socket.socket] = field(factory=list)
    _near: list[socket.socket] = field(factory=list)

    def connect(self) -> Any:
        if self.unreachable:
            raise self.unreachable.pop(0)
        self.connections += 1
        near, far = socket.socketpair()
        self._near.append(near)
        self._far.append(far)
        return self

    def fileno(self) -> int:
        return self._near[-1].fileno()

    def close(self) -> None:
        self.closed += 1

    def carry_out(self, connection: Any, requests: Sequence[Any], again: bool) -> Sequence[object]:
        self.groups.append(list(requests))
        self.tries.append(again)
        if "block" in requests:
            self.busy.set()
            self.free.wait()
        if "hang" in requests:
            self.busy.set()
            if not self._near[-1].recv(1):  # as psycopg sees a connection that was shut down
                raise psycopg.OperationalError("the connection is lost")
        self.takes()
        if self.trouble:
            raise self.trouble.pop(0)
        return [f"done {request}" for request in requests]

    def shown(self, text: str) -> str:
        return text.replace("secret", "...")

    def failure(self, why: str) -> ConfigurationError:
        return ConfigurationError(why)

    def unwritten(self, requests: Sequence[Any]) -> None:
        self.lost += requests

    def end(self) -> None:
        self.free.set()
        for stream in (*self._near, *self._far):
            stream.close()


@pytest.fixture
def database(monkeypatch: pytest.MonkeyPatch) -> Iterator[Database]:
    monkeypatch.setattr(writer, "FIRST_PAUSE", 0.001)
    monkeypatch.setattr(writer, "SECONDS_TO_DIE", 0.05)
    database = Database()
    yield database
    database.end()


Open = Callable[..., Writer]


@pytest.fixture
def opened(database: Database) -> Iterator[Open]:
    made: list[Writer] = []

    def build(seconds: float = LONG, **options: Any) -> Writer:
        made.append(Writer(database, seconds, **options))
        made[-1].open()
        return made[-1]

    yield build
    database.free.set()
    for one in made:
        one.close()


def asked(writer: Writer, request: Any) -> Future[Any]:
    return writer.ask(request, Future[Any]())


def test_what_queues_while_a_commit_runs_is_committed_together(database: Database, opened: Open) -> None:
    writer = opened()
    first = asked(writer, "block")
    database.busy.wait()
    others = [asked(writer, number) for number in range(100)]
    database.free.set()
    assert [future.result(LONG) for future in (first, *others)][-1] == "done 99"
    assert database.groups == [["block"], list(range(100))]


def test_groups_begin_some_time_apart_and_single_requests_at_once(
    database: Database, opened: Open, clock: TestClock
) -> None:
    writer = opened(clock=clock)
    assert [writer.response(number) for number in (1, 2)] == ["done 1", "done 2"]
    database.takes = partial(clock.sleep, 0.004)
    asked(writer, "block")
    database.busy.wait()
    for number in range(3):
        asked(writer, number)
    database.free.set()
    writer.close()
    assert clock.slept == [0.004, 0.004, pytest.approx(PACE - 0.004)]


def test_a_lost_connection_is_made_anew(database: Database, opened: Open, caplog: pytest.LogCaptureFixture) -> None:
    writer = opened()
    database.trouble = [psycopg.OperationalError("secret is down"), psycopg.errors.ReadOnlySqlTransaction("a replica")]
    database.unreachable = [psycopg.OperationalError("starting up")]
    assert writer.response("a") == "done a"
    assert database.tries == [False, True, True]
    assert (database.connections, database.closed) == (3, 2)
    assert caplog.messages == ["The journal's database does not work, nothing is sent meanwhile: ... is down"]
    assert writer.response("b") == "done b"
    assert database.tries[-1] is False


def test_what_does_not_pass_fails_everybody(database: Database, opened: Open) -> None:
    writer = opened()
    first = asked(writer, "block")
    database.busy.wait()
    behind = [asked(writer, number) for number in range(10)]
    database.trouble = [psycopg.errors.UndefinedTable("no secret table")]
    database.free.set()
    for future in (first, *behind):
        with pytest.raises(ConfigurationError, match=r"no \.\.\. table"):
            future.result(LONG)
    with pytest.raises(ConfigurationError, match=r"no \.\.\. table"):
        asked(writer, "later")
    assert len(database.lost) == 12


def test_an_error_of_our_own_fails_everybody(database: Database, opened: Open) -> None:
    writer = opened()
    database.trouble = [ZeroDivisionError("secret")]
    with pytest.raises(ConfigurationError, match=r"^ZeroDivisionError: \.\.\.$"):
        writer.response("a")


@pytest.mark.parametrize("request_", ["hang", "block"])
def test_a_database_that_does_not_respond_is_given_up(database: Database, opened: Open, request_: str) -> None:
    writer = opened(0.05)
    first = asked(writer, request_)
    database.busy.wait()
    with pytest.raises(ConfigurationError, match="it does not respond"):
        writer.response("behind")
    with pytest.raises(ConfigurationError, match="it does not respond"):
        first.result(LONG)
    assert database.lost == [request_, "behind"]
    database.free.set()
    writer.close()
    assert database.closed == 1


def test_what_does_not_end_before_the_end_is_given_up(database: Database, opened: Open) -> None:
    writer = opened(0.05)
    future = asked(writer, "hang")
    database.busy.wait()
    writer.close()
    with pytest.raises(ConfigurationError, match="it does not respond"):
        future.result(LONG)
    assert database.lost == ["hang"]


def test_a_database_that_is_down_is_given_up_with_the_reason(database: Database, opened: Open) -> None:
    writer = opened(0.05)
    down = [psycopg.OperationalError("Connection\nrefused")]
    database.trouble, database.unreachable = list(down), down * 10_000
    with pytest.raises(ConfigurationError, match="Connection refused"):
        writer.response("a")


@pytest.mark.parametrize(
    ("error", "raised"),
    [
        (psycopg.OperationalError("secret: no such host"), ConfigurationError),
        (psycopg.errors.InsufficientPrivilege("secret"), ConfigurationError),
        (InvalidInputError("secret"), InvalidInputError),
    ],
)
def test_the_first_connection_is_tried_once(
    database: Database, opened: Open, error: Exception, raised: type[Exception]
) -> None:
    database.unreachable = [error]
    with pytest.raises(raised):
        opened()
    assert database.connections == 0


def test_a_run_that_has_just_died_is_waited_for(database: Database, opened: Open) -> None:
    database.unreachable = [BusyError("in use")]
    opened()
    database.unreachable = [BusyError("in use")] * 10_000
    with pytest.raises(ConfigurationError, match="in use"):
        opened()


def test_closing_carries_out_what_has_queued(database: Database, opened: Open) -> None:
    writer = opened()
    asked(writer, "block")
    database.busy.wait()
    future = asked(writer, "last")
    closing = threading.Thread(target=writer.close)
    closing.start()
    database.free.set()
    closing.join()
    assert future.result() == "done last"
    assert database.closed == 1
    writer.close()
    with pytest.raises(ConfigurationError, match="it is closed"):
        asked(writer, "more")
    assert database.lost == ["more"]


def test_a_run_that_leaves_waits_for_nothing(database: Database, opened: Open) -> None:
    writer = opened()
    future = asked(writer, "block")
    database.busy.wait()
    assert writer.threads() == [writer._thread.ident]
    writer.leave()
    assert not future.done()
    database.free.set()
    assert future.result(LONG) == "done block"


def test_a_forked_child_leaves_the_connection_to_its_parent(
    database: Database, opened: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer = opened()
    with monkeypatch.context() as child:
        child.setattr(os, "getpid", lambda: -1)
        writer.close()
    assert database.closed == 0
    assert writer.response("a") == "done a"


def test_no_thread_is_a_clear_error(database: Database, opened: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(self: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    with pytest.raises(ConfigurationError, match="can't start new thread"):
        opened()


def test_nothing_is_logged_when_all_is_well(opened: Open, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        opened().close()
    assert caplog.messages == []


AsyncTest = Callable[[AsyncWriter], Coroutine[Any, Any, None]]


def run(database: Database, test: AsyncTest, **options: Any) -> None:
    """Run a test with an open writer, and close that."""

    async def whole() -> None:
        writer = AsyncWriter(database, **{"seconds": LONG, **options})
        await writer.aopen()
        try:
            await test(writer)
        finally:
            database.free.set()
            await writer.aclose()

    asyncio.run(whole())


def test_a_group_wakes_its_loop_once(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    async def test(writer: AsyncWriter) -> None:
        loop, wakes = asyncio.get_running_loop(), list[object]()
        call_soon = loop.call_soon_threadsafe
        monkeypatch.setattr(loop, "call_soon_threadsafe", lambda *given: [wakes.append(given), call_soon(*given)])
        block = writer.aresponse("block")
        await asyncio.to_thread(database.busy.wait)
        wakes.clear()
        others = [writer.aresponse(number) for number in range(100)]
        database.free.set()
        assert await asyncio.gather(block, *others) == ["done block", *(f"done {number}" for number in range(100))]
        assert len(wakes) == 2

    run(database, test)


def test_errors_come_to_the_loop_too(database: Database) -> None:
    async def test(writer: AsyncWriter) -> None:
        both = [writer.aresponse("hang"), writer.aresponse("behind")]
        for error in await asyncio.gather(*both, return_exceptions=True):
            assert isinstance(error, ConfigurationError)

    run(database, test, seconds=0.05)


def test_one_timer_serves_all_requests(database: Database, clock: TestClock, monkeypatch: pytest.MonkeyPatch) -> None:
    async def test(writer: AsyncWriter) -> None:
        loop, timers = asyncio.get_running_loop(), list[tuple[float, Callable[[], None]]]()

        def call_later(seconds: float, callback: Callable[[], None]) -> asyncio.TimerHandle:
            timers.append((seconds, callback))
            return asyncio.TimerHandle(0.0, callback, (), loop)

        monkeypatch.setattr(loop, "call_later", call_later)
        assert await writer.aresponse("early") == "done early"
        clock.time += 4.0
        await writer.aresponse("second")
        late = writer.aresponse("hang")
        await asyncio.to_thread(database.busy.wait)
        clock.time += 6.0
        timers[-1][1]()
        assert [seconds for seconds, _ in timers] == [10.0, 4.0]
        clock.time += 4.0
        timers[-1][1]()
        with pytest.raises(ConfigurationError, match="it does not respond"):
            await late
        assert len(timers) == 2

    run(database, test, seconds=10.0, clock=clock)


def test_a_timer_that_finds_nobody_waiting_sets_none(database: Database, clock: TestClock) -> None:
    async def test(writer: AsyncWriter) -> None:
        await writer.aresponse("a")
        clock.time += 11.0
        writer._look_at_the_clock()
        assert writer._timer is None
        assert await writer.aresponse("b") == "done b"
        assert writer._timer is not None

    run(database, test, seconds=10.0, clock=clock)


def test_a_waiter_that_goes_away_takes_nothing_back(database: Database) -> None:
    async def test(writer: AsyncWriter) -> None:
        writer.aresponse("block").cancel()
        await asyncio.to_thread(database.busy.wait)
        gone, behind = writer.aresponse("gone"), writer.aresponse("behind")
        gone.cancel()
        database.free.set()
        assert await behind == "done behind"
        assert database.groups == [["block"], ["gone", "behind"]]

    run(database, test)


def test_a_loop_that_is_closed_stops_nothing(database: Database) -> None:
    async def left_behind() -> AsyncWriter:
        writer = AsyncWriter(database, LONG)
        await writer.aopen()
        writer.aresponse("block")
        writer.aresponse("behind")
        return writer

    writer = asyncio.run(left_behind())
    database.free.set()
    asyncio.run(writer.aclose())
    assert [request for group in database.groups for request in group] == ["block", "behind"]
    assert database.lost == []


class Slow(Database):
    """A database that makes no connection."""

    def connect(self) -> Any:
        self.busy.set()
        self.free.wait()
        raise psycopg.OperationalError("too late")


@pytest.mark.parametrize("seconds", [0.05, LONG])
def test_a_connection_that_is_not_made_in_time(seconds: float) -> None:
    database = Slow()

    async def begin() -> None:
        writer = AsyncWriter(database, seconds)
        opening = asyncio.create_task(writer.aopen())
        await asyncio.to_thread(database.busy.wait)
        if seconds == LONG:
            opening.cancel()
        with pytest.raises(asyncio.CancelledError if seconds == LONG else ConfigurationError):
            await opening
        with pytest.raises(ConfigurationError):
            writer.aresponse("a")
        database.free.set()
        await writer.aclose()

    asyncio.run(begin())


def test_a_connection_that_fails_is_an_error_of_the_loop(database: Database) -> None:
    database.unreachable = [InvalidInputError("for another service")]
    with pytest.raises(InvalidInputError):
        run(database, lambda _: asyncio.sleep(0))
