"""The writer commits queued requests together, and forgets no waiter, whatever the database does."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from functools import partial
from typing import Any

import psycopg
import pytest

from tests.conftest import TestClock
from tests.overlay.batch.postgres.databases import LONG, Database
from wavespeed_client import ConfigurationError, InvalidInputError
from wavespeed_client.batch.postgres.statements import BusyError
from wavespeed_client.batch.postgres.writer import PACE, Writer

pytestmark = pytest.mark.promise("database-outage")

Open = Callable[..., Writer]


@pytest.fixture
def opened(database: Database) -> Iterator[Open]:
    made: list[Writer] = []

    def build(**options: Any) -> Writer:
        made.append(Writer(database, LONG, **options))
        made[-1].open()
        return made[-1]

    yield build
    database.free.set()
    for one in made:
        one.seconds = LONG
        one.close()


def impatient(writer: Writer) -> Writer:
    """Let a writer wait for a short time only, once it is open."""
    writer.seconds = 0.05
    return writer


def asked(writer: Writer, request: Any) -> Future[Any]:
    return writer.enqueue(request, Future[Any]())


def test_requests_that_queue_during_a_commit_are_committed_together(database: Database, opened: Open) -> None:
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


def test_a_lost_connection_is_replaced(database: Database, opened: Open, caplog: pytest.LogCaptureFixture) -> None:
    writer = opened()
    database.trouble = [psycopg.OperationalError("secret is down"), psycopg.errors.ReadOnlySqlTransaction("a replica")]
    database.unreachable = [psycopg.OperationalError("starting up")]
    assert writer.response("a") == "done a"
    assert database.tries == [False, True, True]
    assert (database.connections, database.closed) == (3, 2)
    assert caplog.messages == ["The journal's database does not work, nothing is sent meanwhile: ... is down"]
    assert writer.response("b") == "done b"
    assert database.tries[-1] is False


def test_a_lasting_database_error_fails_every_request(database: Database, opened: Open) -> None:
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
    writer.close()  # its thread reports what was lost after it has failed the requests
    assert len(database.lost) == 12


def test_an_error_of_our_own_fails_every_request(database: Database, opened: Open) -> None:
    writer = opened()
    database.trouble = [ZeroDivisionError("secret")]
    with pytest.raises(ConfigurationError, match=r"^ZeroDivisionError: \.\.\.$"):
        writer.response("a")


@pytest.mark.parametrize("request_", ["hang", "block"])
def test_a_database_that_does_not_respond_is_given_up(database: Database, opened: Open, request_: str) -> None:
    writer = impatient(opened())
    first = asked(writer, request_)
    database.busy.wait()
    with pytest.raises(ConfigurationError, match="it does not respond"):
        writer.response("behind")
    with pytest.raises(ConfigurationError, match="it does not respond"):
        first.result(LONG)
    assert database.lost == [request_, "behind"]
    database.free.set()
    writer.seconds = LONG
    writer.close()
    assert database.closed == 1


def test_a_request_that_does_not_end_before_the_writer_is_closed_is_given_up(database: Database, opened: Open) -> None:
    writer = impatient(opened())
    future = asked(writer, "hang")
    database.busy.wait()
    writer.close()
    with pytest.raises(ConfigurationError, match="it does not respond"):
        future.result(LONG)
    assert database.lost == ["hang"]


def test_a_database_that_is_down_is_given_up_with_the_reason(database: Database, opened: Open) -> None:
    writer, tried = opened(), threading.Semaphore(0)
    down = [psycopg.OperationalError("Connection\nrefused")]
    database.takes, database.trouble = tried.release, down * 10_000
    first = asked(writer, "a")
    assert all(tried.acquire(timeout=20) for _ in range(2))  # at the second try, the reason is known
    database.unreachable = down * 10_000
    with pytest.raises(ConfigurationError, match="Connection refused"):
        impatient(writer).response("b")
    with pytest.raises(ConfigurationError, match="Connection refused"):
        first.result(LONG)


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


def test_the_lock_of_a_run_that_has_just_died_is_waited_for(database: Database, opened: Open) -> None:
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


def test_leave_does_not_wait_for_requests_under_way(database: Database, opened: Open) -> None:
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


def test_a_writer_that_can_start_no_thread_is_a_clear_error(
    database: Database, opened: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(self: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    with pytest.raises(ConfigurationError, match="can't start new thread"):
        opened()


def test_a_writer_without_trouble_logs_nothing(opened: Open, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        opened().close()
    assert caplog.messages == []
