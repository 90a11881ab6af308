"""The key is in nothing that is shown, logged, raised or pickled, whatever goes wrong."""

from __future__ import annotations

import asyncio
import logging
import pickle
import traceback
from collections.abc import Iterator
from typing import Any

import pytest

from tests.conftest import TestClock
from tests.servers.faults import FAULTS, running
from wavespeed_client import AsyncWaveSpeed, WaveSpeed

pytestmark = pytest.mark.promise("key-hidden")

KEY = "-".join(["wsk", "live", "secret"])  # a traceback also shows the source
QUICK = sorted(set(FAULTS) - {"driphead", "429hour", "late"})


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with running() as url:
        yield url


def outcomes(kind: str, server: str, fault: str) -> list[Any]:
    """Return what a submission and a wait return or raise with this fault."""
    given = {"tag": f"{kind}{fault}", "fault": fault}
    arguments: dict[str, Any] = {"base_url": server, "timeout": 0.3, "max_retries": 1}

    async def run() -> list[Any]:
        async with AsyncWaveSpeed(KEY, **arguments) as ws:
            ws._clock = TestClock()
            jobs = [ws.submit("a/b", given), ws.wait(f"{kind}-{fault}", timeout=0)]
            return [*(await asyncio.gather(*jobs, return_exceptions=True)), ws, ws.settings, ws.api]

    if kind == "async":
        return asyncio.run(run())
    found: list[Any] = []
    with WaveSpeed(KEY, **arguments) as ws:
        ws._clock = TestClock()
        for job in (lambda: ws.submit("a/b", given), lambda: ws.wait(f"{kind}-{fault}", timeout=0)):
            try:
                found.append(job())
            except Exception as error:
                found.append(error)
        return [*found, ws, ws.settings, ws.api]


@pytest.mark.parametrize("kind", ["sync", "async"])
@pytest.mark.parametrize("fault", QUICK)
def test_the_key_shows_nowhere(server: str, fault: str, kind: str, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        *found, ws, settings, api = outcomes(kind, server, fault)
    names = {record.name.partition(".")[0] for record in caplog.records}
    assert {"wavespeed_client", "httpx", "httpcore", "httpx_retries"} <= names | {"httpx"}
    shown = [caplog.text, *map(repr, (*found, ws, settings, api)), repr(vars(ws)), repr(vars(ws._http))]
    for outcome in found:
        assert KEY.encode() not in pickle.dumps(outcome)
        if isinstance(outcome, Exception):
            shown += traceback.format_exception(outcome)
            shown += traceback.TracebackException.from_exception(outcome, capture_locals=True).format()
    # The frames of this file have the key only in a global, which no traceback shows.
    assert KEY not in "".join(shown)


def test_the_clients_logger_is_silent_until_it_is_set_up() -> None:
    logger = logging.getLogger("wavespeed_client")
    assert any(isinstance(handler, logging.NullHandler) for handler in logger.handlers)
    assert logger.level == logging.NOTSET
