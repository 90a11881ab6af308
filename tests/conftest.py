"""Fixtures for every test: the spec, a stand-in, clients of both kinds, and a clock that does not wait."""

from __future__ import annotations

import asyncio
import inspect
import math
import os
import signal
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any
from weakref import WeakSet

import httpx
import pytest
from attrs import define, field
from ruamel.yaml import YAML

import database
from tests.databases import made
from tests.servers.raw import RawServer, serving
from tests.tools import CHROMIUM, LEFT_OUT
from wavespeed_client import AsyncWaveSpeed, Settings, WaveSpeed
from wavespeed_client.batch.tasks import AsyncWorkers
from wavespeed_client.batch.threads import Workers
from wavespeed_client.clock import Clock
from wavespeed_client.settings import Secret
from wavespeed_client.testing import Contract, FakeWaveSpeed
from wavespeed_client.transport import retry
from wavespeed_client.transport.authorization import Authorization
from wavespeed_client.transport.exchange import Exchange

ROOT = Path(__file__).resolve().parent.parent

collect_ignore = [] if CHROMIUM else ["overlay/testing/test_page.py"]

# A child inherits a signal that is ignored, and resets one that has a handler: so Ctrl-C reaches the children of tests
# even where the tests themselves were started in the background.
signal.signal(signal.SIGINT, signal.default_int_handler)

# A database of its own is made there, and dropped again; without it the tests start a server of their own.
POSTGRES = os.environ.get("WAVESPEED_TEST_POSTGRES")
# The inputs of a batch that several processes share. The weekly workflow uses more.
SOAK_INPUTS = int(os.environ.get("WAVESPEED_TEST_INPUTS", "400"))
# Series of kills and of faults are long in the weekly workflow. The short series are different each day.
LONG_SERIES = "WAVESPEED_TEST_LONG" in os.environ
TODAY = datetime.now(UTC).date().isoformat()

# No setting of this machine reaches a client. The tests' own settings stay for the processes of pytest-xdist.
for _name in list(os.environ):
    if (_name.startswith("WAVESPEED_") and not _name.startswith("WAVESPEED_TEST_")) or _name.lower().endswith("_proxy"):
        del os.environ[_name]
# The programs that tests start buffer what they print, as those of users do.
os.environ.pop("PYTHONUNBUFFERED", None)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Measure the overlay's coverage only by its own tests: measuring doubles the time that Python code takes."""
    for item in items:
        if ROOT / "tests" / "overlay" not in item.path.parents:
            item.add_marker("no_cover")


@cache
def hand_written() -> dict[str, Any]:
    """Return the hand-written document itself, not the copy that ships with the generated code."""
    document: dict[str, Any] = YAML(typ="safe").load(ROOT / "spec" / "openapi.yaml")
    return document


@pytest.fixture(scope="session")
def spec() -> dict[str, Any]:
    return hand_written()


@pytest.fixture(scope="session")
def contract(spec: dict[str, Any]) -> Contract:
    return Contract(spec)


@pytest.fixture(autouse=True)
def no_backoff(monkeypatch: pytest.MonkeyPatch) -> None:
    """Retries follow at once."""
    monkeypatch.setattr(retry, "BACKOFF_SECONDS", 0.0)


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The seconds of each pause before a retry. No pause takes time."""
    found: list[float] = []

    async def pause(seconds: float) -> None:
        found.append(seconds)

    monkeypatch.setattr("httpx_retries.retry.time.sleep", found.append)
    monkeypatch.setattr("httpx_retries.retry.asyncio.sleep", pause)
    return found


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """A real browser, for tests that are skipped without Chromium."""
    from playwright.sync_api import sync_playwright  # imported late, since few tests need it

    with sync_playwright() as playwright:
        # Chromium's sandbox needs rights that a container's root user does not have.
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield chromium
        chromium.close()


@pytest.fixture(scope="session")
def running_fake(contract: Contract) -> Iterator[FakeWaveSpeed]:
    with FakeWaveSpeed(contract=contract) as fake:
        for name in ("no_proxy", "NO_PROXY"):  # the stand-in is the service, which tests reach through proxies, too
            os.environ.pop(name, None)
        yield fake


@pytest.fixture
def fake(running_fake: FakeWaveSpeed) -> Iterator[FakeWaveSpeed]:
    """A stand-in for the service. A request outside the contract fails the test."""
    running_fake.reset()
    yield running_fake
    assert running_fake.violations == []


# A longer wait is for something to happen, so it gets a chance to happen before the time passes.
LONG = 10.0
# Real seconds that a batch's step may take while the time stands still. One that takes longer is held up by its test.
LONGEST_STEP = 2.0


@define
class TestClock(Clock):
    """A clock that advances only when something sleeps, and while no step of a batch is under way.

    So no task's time is up because the machine was slow to send a request, or to write to a journal.
    """

    __test__ = False
    time: float = 1000.0
    slept: list[float] = field(factory=list)
    _batches: WeakSet[Any] = field(init=False, factory=WeakSet)

    def now(self) -> float:
        return self.time

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.time += seconds

    async def asleep(self, seconds: float) -> None:
        self.sleep(seconds)

    def watching(self, begin: Callable[[Any], Any]) -> Callable[[Any], Any]:
        """Return what begins a batch, and makes its steps known to this clock."""

        def begun(batch: Any) -> Any:
            self._batches.add(batch)
            return begin(batch)

        return begun

    def _under_way(self, since: float) -> bool:
        return any(batch._steps for batch in self._batches) and time.monotonic() < since + LONGEST_STEP

    def wait(self, condition: threading.Condition, seconds: float) -> None:
        if math.isinf(seconds):
            condition.wait()
            return
        began = time.monotonic()
        while self._under_way(began):
            if condition.wait(0.001):
                return
        if seconds < LONG or not condition.wait(0.05):
            self.sleep(seconds)

    async def await_event(self, event: asyncio.Event, seconds: float) -> None:
        if math.isinf(seconds):
            await event.wait()
            return
        began, turns = time.monotonic(), 0
        while not event.is_set() and (self._under_way(began) or (turns < 100 and seconds >= LONG)):
            turns += 1
            await asyncio.sleep(0 if turns < 100 else 0.001)
        if not event.is_set():
            self.sleep(seconds)
            await asyncio.sleep(0)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> TestClock:
    clock = TestClock()
    for kind in (Workers, AsyncWorkers):
        monkeypatch.setattr(kind, "begin", clock.watching(kind.begin))
    return clock


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """The URL of a PostgreSQL server on which tests create databases: their own, or the one in the environment."""
    if POSTGRES is not None:
        yield POSTGRES
        return
    try:
        with database.server(*database.QUICK) as own:
            yield own.url
    except database.NoServerError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="session")
def postgres(postgres_server: str) -> Iterator[str]:
    """The URL of a database that tests share; each test has its own batches in it."""
    with made(postgres_server) as url:
        yield url


@pytest.fixture
def empty_database(postgres_server: str) -> Iterator[str]:
    """The URL of an empty database for this test alone."""
    with made(postgres_server) as url:
        yield url


class Driven:
    """A client of either kind, called in the same way: coroutines are run to their end."""

    def __init__(self, client: Any, runner: asyncio.Runner) -> None:
        self.client = client
        self._runner = runner

    def __getattr__(self, name: str) -> Any:
        attribute = getattr(self.client, name)
        return self._blocking(attribute) if inspect.ismethod(attribute) else attribute

    def _blocking(self, verb: Callable[..., Any]) -> Callable[..., Any]:
        """Return the verb, with its coroutine run to the end and its iterator made a list."""

        def call(*args: Any, **kwargs: Any) -> Any:
            result = verb(*args, **kwargs)
            if inspect.isawaitable(result):
                return self._runner.run(result)
            if isinstance(result, AsyncIterator):
                return self._runner.run(collected(result))
            return list(result) if isinstance(result, Iterator) else result

        return call

    def call(self, operation: Any, *args: Any, **kwargs: Any) -> Any:
        """Call a generated endpoint module through this client's `api`."""
        if isinstance(self.client, WaveSpeed):
            return operation.sync_detailed(*args, client=self.client.api, **kwargs)
        return self._runner.run(operation.asyncio_detailed(*args, client=self.client.api, **kwargs))

    def end(self) -> None:
        if isinstance(self.client, WaveSpeed):
            self.client.close()
        else:
            self._runner.run(self.client.aclose())


async def collected(items: AsyncIterator[Any]) -> list[Any]:
    return [item async for item in items]


Connect = Callable[..., Driven]


@pytest.fixture(params=["sync", "async"])
def engine(request: pytest.FixtureRequest) -> str:
    """The kind of a test's clients, and the engine that they send with."""
    return request.param


@pytest.fixture(params=["sync", "async", "aiohttp"])
def every_engine(request: pytest.FixtureRequest) -> str:
    """In place of it, `engine = every_engine` runs every test of a module on the optional engine, too."""
    return request.param


# For tests that build an AsyncWaveSpeed themselves.
both_transports = pytest.mark.parametrize("transport", ["httpx", "aiohttp"])


@pytest.fixture
def connect(clock: TestClock, engine: str) -> Iterator[Connect]:
    """A function that builds clients of one kind with the test's clock; they are closed after the test."""
    kind: Any = WaveSpeed if engine == "sync" else AsyncWaveSpeed
    made: list[Driven] = []
    with asyncio.Runner() as runner:

        def build(api_key: str | None = "test-key", **arguments: Any) -> Driven:
            if engine == "aiohttp":
                arguments.setdefault("transport", "aiohttp")
            client = kind(api_key, **arguments)
            client._clock = clock
            made.append(Driven(client, runner))
            return made[-1]

        yield build
        for driven in made:
            driven.end()


@pytest.fixture
def ws(connect: Connect, fake: FakeWaveSpeed) -> Driven:
    """A client of the stand-in."""
    return connect(fake.api_key, base_url=fake.url)


@pytest.fixture
def raw_server() -> Iterator[RawServer]:
    with serving() as server:
        yield server


SETTINGS = Settings(Secret("test-key"))


def begun(request: httpx.Request, settings: Settings = SETTINGS) -> Exchange:
    """Return an exchange, as the chain begins it."""
    return Exchange.begun(request, settings, Authorization(settings))


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Say what was left out, and the figures that SECURITY.md quotes, added up over the tests that recorded any."""
    if LEFT_OUT:
        terminalreporter.write_line(f"Left out: the tests that need {', '.join(LEFT_OUT)}, which this machine has not")
    reports = [report for report in terminalreporter.stats.get("passed", []) if report.when == "call"]
    found: dict[str, list[float]] = {}
    for name, value in (pair for report in reports for pair in report.user_properties):
        found.setdefault(name, []).append(value)
    if "runs" in found:
        figures = ", ".join(f"{name} {sum(found[name]):g}" for name in ("runs", "faults", "doubled", "lost"))
        terminalreporter.write_line(f"soak: {figures}")
    if "late" in found:
        terminalreporter.write_line(f"{len(found['late'])} waits ended at most {max(found['late']):.2f} s late")
