"""A journal other than a file: which calls it gets, in which order, and that the loop runs while they are awaited."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable, Sequence
from contextvars import ContextVar
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from attrs import define, evolve, field

from tests.servers.in_process import Attach, Service, refusal, tagged
from wavespeed_client import AsyncWaveSpeed, ConfigurationError, WaveSpeed
from wavespeed_client.batch import tasks, threads
from wavespeed_client.batch.journal import Entry, Item, Journal, Note
from wavespeed_client.batch.threads import Workers

pytestmark = pytest.mark.promise("journal-first", "batch-once")

MODEL = "wavespeed-ai/flux-dev"


@define
class Table:
    """A journal in memory that works like one in a database. `calls` has its calls, each with the input's tag.

    Attributes:
        held: How often a reservation finds the input with another run.
        broken: The call from which on nothing works.
    """

    held: int = 0
    broken: str = ""
    calls: list[tuple[str, str]] = field(factory=list)
    _lock: threading.Lock = field(factory=threading.Lock)

    def prepare(self) -> None:
        self._record("prepare")

    def look(self, item: Item) -> Entry:
        self._record("look", item.json.decode())
        return Entry(item.digest + item.json, "planned", datetime.now(UTC))

    def reserve(self, entry: Entry) -> Entry:
        self._record("reserve", self._name(entry))
        if self.held:
            self.held -= 1
            return evolve(entry, event="submitting", look_again=5.0)
        return evolve(entry, event="submitting", attempt=entry.attempt + 1)

    def own_threads(self) -> list[int]:
        return []

    def write(self, notes: Sequence[Note]) -> None:
        for note in notes:
            assert note.entry.attempt == 1
            self._record(note.event, self._name(note.entry))

    def spent(self) -> Sequence[float]:
        self._record("spent")
        return []

    def close(self) -> None:
        self._record("close")

    def _record(self, call: str, *whom: str) -> None:
        with self._lock:
            if call == self.broken:
                raise ConfigurationError("The database is gone.")
            self.calls += [(call, name) for name in whom] or [(call, "")]

    def _name(self, entry: Entry) -> str:
        assert isinstance(entry.key, bytes)
        return entry.key[32:].decode()


@define
class AsyncTable:
    """A journal whose calls each take many turns of the loop."""

    table: Table

    async def prepare(self) -> None:
        await self._later(self.table.prepare)

    async def look(self, item: Item) -> Entry:
        return await self._later(self.table.look, item)

    async def reserve(self, entry: Entry) -> Entry:
        return await self._later(self.table.reserve, entry)

    async def write(self, notes: Sequence[Note]) -> None:
        await self._later(self.table.write, notes)

    async def spent(self) -> Sequence[float]:
        return await self._later(self.table.spent)

    async def close(self) -> None:
        await self._later(self.table.close)

    async def _later(self, call: Callable[..., Any], *arguments: Any) -> Any:
        for _ in range(5):
            await asyncio.sleep(0)
        return call(*arguments)


@pytest.fixture
def table(monkeypatch: pytest.MonkeyPatch) -> Table:
    """The journal of every batch that has one."""
    table = Table()
    sync_one: Journal = table
    async_one: Any = AsyncTable(table)
    monkeypatch.setattr(threads, "journal_for", lambda options: sync_one)
    monkeypatch.setattr(tasks, "async_journal_for", lambda options: async_one)
    return table


def calls_about(table: Table, tag: str) -> list[str]:
    return [call for call, whom in table.calls if whom and json.loads(whom) == {"tag": tag}]


def test_journal_calls_come_in_the_order_of_the_protocol(attach: Attach, service: Service, table: Table) -> None:
    outcomes = attach().run_many(MODEL, tagged(20), journal="any")
    assert [outcome.error for outcome in outcomes] == [None] * 20
    for number in range(20):
        assert calls_about(table, f"t{number}") == ["look", "reserve", "submitted", "finished"]
    assert table.calls[0] == ("prepare", "")
    assert table.calls[-1] == ("close", "")
    assert set(service.accepted.values()) == {1}


def test_no_input_is_sent_before_it_is_reserved_and_no_outcome_comes_before_it_is_written(
    attach: Attach, service: Service, table: Table
) -> None:
    service.submission = lambda number, given: arrived.append(calls_about(table, given["tag"])[-1])
    arrived: list[str] = []
    done: list[int] = []
    attach().run_many(
        MODEL,
        tagged(20),
        journal="any",
        on_progress=lambda progress: done.append(sum(call == "finished" for call, _ in table.calls) - progress.done),
    )
    assert arrived == ["reserve"] * 20
    assert min(done) >= 0


def test_an_input_that_another_run_holds_is_looked_up_again(attach: Attach, service: Service, table: Table) -> None:
    table.held = 2
    began = service.clock.now()
    (outcome,) = attach().run_many(MODEL, tagged(1), journal="any")
    assert outcome.error is None
    again = ["look", "reserve"]
    assert calls_about(table, "t0") == [*again, *again, *again, "submitted", "finished"]
    assert service.clock.now() - began >= 10
    assert service.submitted == ["t0"]


@pytest.mark.parametrize("call", ["look", "reserve", "submitted", "finished"])
def test_when_the_journal_breaks_nothing_more_is_sent(
    attach: Attach, service: Service, table: Table, call: str
) -> None:
    table.broken = call
    with pytest.raises(ConfigurationError, match="The database is gone"):
        attach().run_many(MODEL, tagged(50), max_in_flight=4, journal="any")
    assert len(service.submitted) <= (0 if call in ("look", "reserve") else 4)
    assert table.calls[-1] == ("close", "")


def test_a_journal_that_cannot_be_opened_fails_at_once(attach: Attach, service: Service, table: Table) -> None:
    table.broken = "prepare"
    with pytest.raises(ConfigurationError, match="The database is gone"):
        attach().run_many(MODEL, tagged(5), journal="any")
    assert (service.submitted, table.calls) == ([], [])


def test_a_journal_that_breaks_while_it_is_opened_is_closed(attach: Attach, service: Service, table: Table) -> None:
    table.broken = "spent"
    with pytest.raises(ConfigurationError, match="The database is gone"):
        attach().run_many(MODEL, tagged(5), journal="any")
    assert (service.submitted, table.calls) == ([], [("prepare", ""), ("close", "")])


def test_a_journal_whose_opening_is_cancelled_is_closed(
    service: Service, table: Table, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Otherwise no other run could use the batch while this process lives."""

    async def spent(journal: AsyncTable) -> Sequence[float]:
        opened.set()
        await asyncio.Event().wait()
        return []

    monkeypatch.setattr(AsyncTable, "spent", spent)
    opened = asyncio.Event()

    async def main() -> None:
        async with AsyncWaveSpeed("test-key", http_client=httpx.AsyncClient(transport=service)) as ws:
            first = asyncio.ensure_future(anext(ws.run_many(MODEL, tagged(1), journal="any")))
            await opened.wait()
            first.cancel()
            with pytest.raises(asyncio.CancelledError):
                await first

    asyncio.run(main())
    assert table.calls == [("prepare", ""), ("close", "")]


def test_an_uncertain_submission_that_cannot_be_written_is_logged_with_its_task(
    attach: Attach, service: Service, table: Table, caplog: pytest.LogCaptureFixture
) -> None:
    table.broken = "uncertain"
    service.submission = lambda number, given: (500, {"code": 500, "message": "No.", "data": {"id": "task-of-ours"}})
    with pytest.raises(ConfigurationError, match="The database is gone"):
        attach().run_many(MODEL, tagged(1), journal="any")
    assert service.submitted == ["t0"]
    assert "task-of-ours" in caplog.text


def test_a_refused_input_is_reserved_again(attach: Attach, service: Service, table: Table) -> None:
    service.submission = lambda number, given: refusal(400)
    (outcome,) = attach().run_many(MODEL, tagged(1), journal="any")
    assert outcome.error is not None
    assert calls_about(table, "t0") == ["look", "reserve", "refused"]


def test_an_early_end_lets_the_journal_finish_writing_a_submission(service: Service, table: Table) -> None:
    """The loop is left while `submitted` is being written: that task has no poll under way that might be cut off."""

    arrived = asyncio.Event()

    async def main() -> None:
        async with AsyncWaveSpeed("test-key", http_client=httpx.AsyncClient(transport=service)) as ws:
            ws._clock = service.clock
            outcomes = ws.run_many(MODEL, tagged(4), journal="any")
            first = asyncio.ensure_future(anext(outcomes))
            await arrived.wait()
            first.cancel()
            with pytest.raises(asyncio.CancelledError):
                await first

    service.submission = lambda number, given: arrived.set()
    service.poll = lambda task, polls: service.prediction(task, "processing")
    asyncio.run(main())
    for tag in service.submitted:
        assert calls_about(table, tag)[-1] == "submitted"


def test_an_early_end_lets_the_journal_finish_writing_an_outcome(
    service: Service, table: Table, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A statement that is cut short may leave the connection to a database unusable."""
    writing = asyncio.Event()
    write = AsyncTable.write

    async def observed(journal: AsyncTable, notes: Sequence[Note]) -> None:
        if notes[0].event == "finished":
            writing.set()
        await write(journal, notes)

    monkeypatch.setattr(AsyncTable, "write", observed)

    async def main() -> None:
        async with AsyncWaveSpeed("test-key", http_client=httpx.AsyncClient(transport=service)) as ws:
            ws._clock = service.clock
            first = asyncio.ensure_future(anext(ws.run_many(MODEL, tagged(1), journal="any")))
            await writing.wait()
            first.cancel()
            with pytest.raises(asyncio.CancelledError):
                await first

    asyncio.run(main())
    assert calls_about(table, "t0")[-1] == "finished"


CALLER: ContextVar[str] = ContextVar("CALLER", default="nobody")


def test_requests_are_made_in_the_context_in_which_their_inputs_were_pulled(service: Service) -> None:
    """Tracing needs this. Polls are made in that context, too."""
    seen: dict[str, set[str]] = {}

    def hook(request: httpx.Request) -> None:
        tag = json.loads(request.content)["tag"] if request.content else request.url.path.split("/")[-2].split("-")[0]
        seen.setdefault(tag, set()).add(CALLER.get())

    def source() -> Any:
        for given in tagged(10):
            CALLER.set(f"for {given['tag']}")
            yield given

    with (
        httpx.Client(transport=service, event_hooks={"request": [hook]}) as http,
        WaveSpeed("test-key", http_client=http) as ws,
    ):
        ws._clock = service.clock
        assert len(list(ws.run_many(MODEL, source(), max_in_flight=3))) == 10

    async def async_hook(request: httpx.Request) -> None:
        hook(request)

    async def main() -> None:
        http = httpx.AsyncClient(transport=service, event_hooks={"request": [async_hook]})
        async with http, AsyncWaveSpeed("test-key", http_client=http) as ws:
            ws._clock = service.clock
            assert len([outcome async for outcome in ws.run_many(MODEL, source(), max_in_flight=3)]) == 10

    assert seen == {f"t{number}": {f"for t{number}"} for number in range(10)}
    seen.clear()
    asyncio.run(main())
    assert seen == {f"t{number}": {f"for t{number}"} for number in range(10)}


@pytest.mark.parametrize(("journaled", "most"), [(False, 1), (True, 2)])
def test_an_input_is_encoded_once_and_for_a_journal_twice(
    attach: Attach, service: Service, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, journaled: bool, most: int
) -> None:
    """Every encoding of a value with the prompt in it counts."""
    encoded: list[object] = []
    service.submission = lambda number, given: refusal(429) if number == 0 else None  # another attempt encodes nothing

    ws = attach()
    monkeypatch.setattr(json.JSONEncoder, "encode", counted_method(encoded))
    outcomes = ws.run_many(
        MODEL, [{"tag": "x", "prompt": "a long prompt"}], journal=tmp_path / "batch.jsonl" if journaled else None
    )
    assert outcomes[0].error is None
    assert service.submitted == ["x", "x"]
    assert len(encoded) == most


def counted_method(encoded: list[object]) -> Callable[..., str]:
    encode = json.JSONEncoder.encode

    def counting(encoder: json.JSONEncoder, value: object) -> str:
        if "a long prompt" in str(value):
            encoded.append(value)
        return encode(encoder, value)

    return counting


def test_a_step_may_begin_before_the_thread_of_the_last_step_has_left(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The next step of a task is open to other threads as soon as the lock is free."""
    done, steps = Workers._done, threading.Semaphore(0)
    inner, first = threading.local(), threading.Event()

    def late(self: Workers, given: Any) -> Any:
        if getattr(inner, "entered", False) or threading.current_thread() is threading.main_thread():
            return done(self, given)
        inner.entered = True
        steps.release()
        try:
            result = done(self, given)
        finally:
            inner.entered = False
        if not first.is_set():
            first.set()
            steps.acquire()  # its own
            with self._work:
                self._work.notify_all()  # as the step of another task does
            steps.acquire(timeout=60)  # the next one's
        return result

    monkeypatch.setattr(Workers, "_done", late)
    with httpx.Client(transport=service) as http, WaveSpeed("test-key", http_client=http) as ws:
        ws._clock = service.clock
        (outcome,) = ws.run_many(MODEL, tagged(1))
    assert outcome.result().succeeded
