"""The base of both clients: a caller's mistake shows the caller's line and our message, and none of our frames."""

import asyncio
import traceback
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

import wavespeed_client
from wavespeed_client import AsyncWaveSpeed, ConfigurationError, InvalidInputError, Settings, Task, WaveSpeed
from wavespeed_client.testing import FakeWaveSpeed

pytestmark = pytest.mark.promise("misuse")

PACKAGE = str(Path(wavespeed_client.__file__).parent)
MISTAKES: list[Callable[[Any], Any]] = [
    lambda ws: ws.submit("flux", {}),
    lambda ws: ws.submit("a/b", 5),
    lambda ws: ws.submit("a/b", {"x": {1, 2}}),
    lambda ws: ws.submit("a/b", {}, webhook="no"),
    lambda ws: ws.run("flux"),
    lambda ws: ws.run("a/b", timeout=-1),
    lambda ws: ws.get("bad id!"),
    lambda ws: ws.wait("bad id!"),
    lambda ws: ws.run_many("a/b", 5),
    lambda ws: ws.run_many("a/b", [], max_in_flight=0),
    lambda ws: ws.use(5),
    lambda ws: ws.tasks(status="no"),
    lambda ws: ws.delete("bad id!"),
    lambda ws: ws.price("flux"),
    lambda ws: type(ws)("a b"),
    lambda ws: type(ws)("test-key", base_url="http://example.com"),
    lambda ws: type(ws)("test-key", http_client=5),
]


def frames(error: BaseException) -> list[traceback.FrameSummary]:
    return traceback.extract_tb(error.__traceback__)


def is_ours(frame: traceback.FrameSummary) -> bool:
    return frame.filename.startswith(PACKAGE)


async def awaited(value: Any) -> None:
    if isinstance(value, Awaitable):
        await value


@pytest.mark.parametrize("mistake", MISTAKES)
def test_the_traceback_of_a_mistake_shows_the_callers_line(fake: FakeWaveSpeed, mistake: Callable[[Any], Any]) -> None:
    async def main() -> None:
        async with fake.async_client() as ws:
            await awaited(mistake(ws))

    with fake.client() as ws, pytest.raises((InvalidInputError, ConfigurationError)) as sync:
        mistake(ws)
    with pytest.raises((InvalidInputError, ConfigurationError)) as twin:
        asyncio.run(main())
    for caught in (sync.value, twin.value):
        assert sum(map(is_ours, frames(caught))) <= 1
        assert any(frame.filename == __file__ for frame in frames(caught))
    assert type(twin.value) is type(sync.value)
    assert fake.requests == []


def test_the_traceback_of_a_failing_callback_shows_its_line(fake: FakeWaveSpeed) -> None:
    with fake.client() as ws:

        def on_update(task: Task) -> None:
            ws.get(f"{task.id} is no id!")

        with pytest.raises(InvalidInputError) as caught:
            ws.run("a/b", on_update=on_update)
    assert "on_update" in [frame.name for frame in frames(caught.value)]


def test_a_fault_of_ours_keeps_its_frames(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Settings, "resolve", None)
    for kind in (WaveSpeed, AsyncWaveSpeed):
        with pytest.raises(TypeError) as caught:
            kind("test-key")
        assert any(map(is_ours, frames(caught.value)))
