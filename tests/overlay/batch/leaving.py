"""Loops over batches that are left early, and what they leave running."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import Any

from tests.conftest import Driven
from wavespeed_client import (
    WaveSpeed,
)

MODEL = "wavespeed-ai/flux-dev"


def batch_threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name.startswith("wavespeed-batch")]


def left_running(ws: Driven) -> int:
    """Count the threads or asyncio tasks that outlive their batch."""

    async def others() -> int:
        return len(asyncio.all_tasks()) - 1

    return len(batch_threads()) + ws._runner.run(others())


async def turns() -> None:
    """Let everything else in the event loop run as far as it can."""
    for _ in range(300):
        await asyncio.sleep(0)


def looped(ws: Driven, inputs: list[Any], body: Callable[[], None]) -> None:
    """Loop over a batch with a body that ends it; return when nothing runs any more."""

    def loop() -> None:
        for _ in ws.client.run_many(MODEL, inputs, max_in_flight=4):
            body()
            break

    async def async_loop() -> None:
        async for _ in ws.client.run_many(MODEL, inputs, max_in_flight=4):
            await turns()
            body()
            break
        await turns()  # asyncio closes the generator in a task of its own

    loop() if isinstance(ws.client, WaveSpeed) else ws._runner.run(async_loop())
