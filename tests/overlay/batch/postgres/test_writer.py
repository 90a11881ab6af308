"""The writer: it commits together what has queued, and forgets no waiter, whatever the database does."""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

import psycopg
import pytest
from attrs import define, field

from tests.conftest import TestClock
from wavespeed_client import ConfigurationError, InvalidInputError
from wavespeed_client.batch.postgres import writer
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


Open = Callable[..., Writer[Any]]


@pytest.fixture
def opened(database: Database) -> Iterator[Open]:
    made: list[Writer[Any]] = []

    def build(seconds: float = LONG, **options: Any) -> Writer[Any]:
        def shown(text: str) -> str:
            return text.replace("secret", "...")

        built = Writer(database.connect, database.carry_out, shown, ConfigurationError, seconds, **options)
        made.append(built)
        built.response(built.start())
        return built

    yield build
    database.free.set()
    for one in made:
        one.close()


def test_what_queues_while_a_commit_runs_is_committed_together(database: Database, opened: Open) -> None:
    writer = opened()
    first = writer.ask("block")
    database.busy.wait()
    others = [writer.ask(number) for number in range(100)]
    database.free.set()
    assert [writer.response(future) for future in (first, *others)][-1] == "done 99"
    assert database.groups == [["block"], list(range(100))]


def test_groups_begin_some_time_apart_and_single_requests_at_once(
    database: Database, opened: Open, clock: TestClock
) -> None:
    writer = opened(clock=clock)
    assert [writer.response(writer.ask(number)) for number in (1, 2)] == ["done 1", "done 2"]
    database.takes = partial(clock.sleep, 0.004)
    writer.ask("block")
    database.busy.wait()
    for number in range(3):
        writer.ask(number)
    database.free.set()
    assert writer.close() == []
    assert clock.slept == [0.004, 0.004, pytest.approx(PACE - 0.004)]


def test_a_lost_connection_is_made_anew(database: Database, opened: Open, caplog: pytest.LogCaptureFixture) -> None:
    writer = opened()
    database.trouble = [psycopg.OperationalError("secret is down"), psycopg.errors.ReadOnlySqlTransaction("a replica")]
    database.unreachable = [psycopg.OperationalError("starting up")]
    assert writer.response(writer.ask("a")) == "done a"
    assert database.tries == [False, True, True]
    assert (database.connections, database.closed) == (3, 2)
    assert caplog.messages == ["The journal's database does not work, nothing is sent meanwhile: ... is down"]
    assert writer.response(writer.ask("b")) == "done b"
    assert database.tries[-1] is False


def test_what_does_not_pass_fails_everybody(database: Database, opened: Open) -> None:
    writer = opened()
    first = writer.ask("block")
    database.busy.wait()
    behind = [writer.ask(number) for number in range(10)]
    database.trouble = [psycopg.errors.UndefinedTable("no secret table")]
    database.free.set()
    for future in (first, *behind):
        with pytest.raises(ConfigurationError, match=r"no \.\.\. table"):
            writer.response(future)
    with pytest.raises(ConfigurationError, match=r"no \.\.\. table"):
        writer.ask("later")
    assert len(writer.close()) == 11


def test_an_error_of_our_own_fails_everybody(database: Database, opened: Open) -> None:
    writer = opened()
    database.trouble = [ZeroDivisionError("secret")]
    with pytest.raises(ConfigurationError, match=r"^ZeroDivisionError: \.\.\.$"):
        writer.response(writer.ask("a"))


@pytest.mark.parametrize("request_", ["hang", "block"])
def test_a_database_that_does_not_respond_is_given_up(database: Database, opened: Open, request_: str) -> None:
    writer = opened(0.05)
    first = writer.ask(request_)
    database.busy.wait()
    behind = writer.ask("behind")
    with pytest.raises(ConfigurationError, match="it does not respond"):
        writer.response(first)
    with pytest.raises(ConfigurationError, match="it does not respond"):
        behind.result(LONG)
    database.free.set()
    assert writer.close() == [request_, "behind"]
    assert database.closed == 1


def test_a_database_that_is_down_is_given_up_with_the_reason(database: Database, opened: Open) -> None:
    writer = opened(0.05)
    down = [psycopg.OperationalError("Connection\nrefused")]
    database.trouble, database.unreachable = list(down), down * 10_000
    with pytest.raises(ConfigurationError, match="Connection refused"):
        writer.response(writer.ask("a"))


def test_async_waiters_get_responses_and_errors_too(database: Database, opened: Open) -> None:
    writer = opened(0.05)

    async def run() -> None:
        assert await writer.aresponse(writer.ask("a")) == "done a"
        both = [writer.aresponse(writer.ask("hang")), writer.aresponse(writer.ask("behind"))]
        for error in await asyncio.gather(*both, return_exceptions=True):
            assert isinstance(error, ConfigurationError)

    asyncio.run(run())


def test_a_waiter_that_goes_away_takes_nothing_back(database: Database, opened: Open) -> None:
    writer = opened()
    writer.ask("block")
    database.busy.wait()
    future = writer.ask("a")

    async def cancelled() -> None:
        waiting = asyncio.create_task(writer.aresponse(future))
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.wait([waiting])

    asyncio.run(cancelled())
    database.free.set()
    assert future.result(LONG) == "done a"


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
    writer.ask("block")
    database.busy.wait()
    future = writer.ask("last")
    closing = threading.Thread(target=writer.close)
    closing.start()
    database.free.set()
    closing.join()
    assert future.result() == "done last"
    assert database.closed == 1
    assert writer.close() == []
    with pytest.raises(ConfigurationError, match="it is closed"):
        writer.ask("more")


def test_a_run_that_leaves_waits_for_nothing(database: Database, opened: Open) -> None:
    writer = opened()
    future = writer.ask("block")
    database.busy.wait()
    assert writer.threads() == [writer._thread.ident]
    writer.leave()
    assert not future.done()
    database.free.set()
    assert future.result(LONG) == "done block"
    assert writer.close() == []


def test_a_forked_child_leaves_the_connection_to_its_parent(
    database: Database, opened: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer = opened()
    with monkeypatch.context() as child:
        child.setattr(os, "getpid", lambda: -1)
        assert writer.close() == []
    assert database.closed == 0
    assert writer.response(writer.ask("a")) == "done a"


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
