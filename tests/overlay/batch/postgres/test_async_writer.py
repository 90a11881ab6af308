"""The writer for an event loop wakes the loop once for a group, and forgets no waiter."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import psycopg
import pytest

from tests.conftest import TestClock
from tests.overlay.batch.postgres.databases import LONG, Database
from wavespeed_client import ConfigurationError, InvalidInputError
from wavespeed_client.batch.postgres.async_writer import AsyncWriter

pytestmark = pytest.mark.promise("database-outage")

AsyncTest = Callable[[AsyncWriter], Coroutine[Any, Any, None]]


def asked(writer: AsyncWriter, request: Any) -> asyncio.Future[Any]:
    return writer.enqueue(request, asyncio.get_running_loop().create_future())


def run(database: Database, test: AsyncTest, **options: Any) -> None:
    """Run a test with an open writer, and close the writer."""

    async def whole() -> None:
        writer = AsyncWriter(database, **{"seconds": LONG, **options})
        await writer.open()
        try:
            await test(writer)
        finally:
            database.free.set()
            await writer.close()

    asyncio.run(whole())


def test_a_group_wakes_its_loop_once(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    async def test(writer: AsyncWriter) -> None:
        loop, wakes = asyncio.get_running_loop(), list[object]()
        call_soon = loop.call_soon_threadsafe
        monkeypatch.setattr(loop, "call_soon_threadsafe", lambda *given: [wakes.append(given), call_soon(*given)])
        block = asked(writer, "block")
        await asyncio.to_thread(database.busy.wait)
        wakes.clear()
        others = [asked(writer, number) for number in range(100)]
        database.free.set()
        assert await asyncio.gather(block, *others) == ["done block", *(f"done {number}" for number in range(100))]
        assert len(wakes) == 2

    run(database, test)


def test_errors_of_the_database_are_raised_in_the_event_loop(database: Database) -> None:
    async def test(writer: AsyncWriter) -> None:
        writer.seconds = 0.05
        both = writer.response("hang"), writer.response("behind")
        for error in await asyncio.gather(*both, return_exceptions=True):
            assert isinstance(error, ConfigurationError)

    run(database, test)


def test_one_timer_serves_all_requests(database: Database, clock: TestClock, monkeypatch: pytest.MonkeyPatch) -> None:
    async def test(writer: AsyncWriter) -> None:
        loop, timers = asyncio.get_running_loop(), list[tuple[float, Callable[[], None]]]()

        def call_later(seconds: float, callback: Callable[[], None]) -> asyncio.TimerHandle:
            timers.append((seconds, callback))
            return asyncio.TimerHandle(0.0, callback, (), loop)

        monkeypatch.setattr(loop, "call_later", call_later)
        assert await writer.response("early") == "done early"
        clock.time += 4.0
        await writer.response("second")
        late = asyncio.create_task(writer.response("hang"))
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


def test_a_timer_that_finds_nobody_waiting_is_not_set_again(database: Database, clock: TestClock) -> None:
    async def test(writer: AsyncWriter) -> None:
        await writer.response("a")
        clock.time += 11.0
        writer._look_at_the_clock()
        assert writer._timer is None
        assert await writer.response("b") == "done b"
        assert writer._timer is not None

    run(database, test, seconds=10.0, clock=clock)


def test_a_request_is_carried_out_even_if_its_waiter_is_cancelled(database: Database) -> None:
    async def test(writer: AsyncWriter) -> None:
        asked(writer, "block").cancel()
        await asyncio.to_thread(database.busy.wait)
        gone, behind = asked(writer, "gone"), asked(writer, "behind")
        gone.cancel()
        database.free.set()
        assert await behind == "done behind"
        assert database.groups == [["block"], ["gone", "behind"]]

    run(database, test)


def test_a_loop_that_is_closed_stops_nothing(database: Database) -> None:
    async def left_behind() -> AsyncWriter:
        writer = AsyncWriter(database, LONG)
        await writer.open()
        asked(writer, "block")
        asked(writer, "behind")
        return writer

    writer = asyncio.run(left_behind())
    database.free.set()
    asyncio.run(writer.close())
    assert [request for group in database.groups for request in group] == ["block", "behind"]
    assert database.lost == []


class Slow(Database):
    """A database that makes no connection."""

    def connect(self) -> Any:
        self.busy.set()
        self.free.wait()
        raise psycopg.OperationalError("too late")


@pytest.mark.parametrize("seconds", [0.05, LONG])
def test_a_writer_whose_opening_timed_out_or_was_cancelled_takes_no_requests(seconds: float) -> None:
    database = Slow()

    async def begin() -> None:
        writer = AsyncWriter(database, seconds)
        opening = asyncio.create_task(writer.open())
        await asyncio.to_thread(database.busy.wait)
        if seconds == LONG:
            opening.cancel()
        with pytest.raises(asyncio.CancelledError if seconds == LONG else ConfigurationError):
            await opening
        with pytest.raises(ConfigurationError):
            asked(writer, "a")
        database.free.set()
        await writer.close()

    asyncio.run(begin())


def test_a_connection_that_fails_is_an_error_of_the_loop(database: Database) -> None:
    database.unreachable = [InvalidInputError("for another service")]
    with pytest.raises(InvalidInputError):
        run(database, lambda _: asyncio.sleep(0))
