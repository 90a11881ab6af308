"""Pass responses from the writer's thread to an event loop. Several responses wake the loop only once."""

from __future__ import annotations

import asyncio
from collections import deque
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from attrs import define, field

if TYPE_CHECKING:
    from concurrent.futures import Future


@define(eq=False)
class Arrivals:
    """Futures that an event loop waits for, and that other threads complete."""

    _loop: asyncio.AbstractEventLoop = field(factory=asyncio.get_running_loop)
    _come: deque[asyncio.Future[None]] = field(init=False, factory=deque["asyncio.Future[None]"])
    _woken: bool = field(init=False, default=False)

    async def wait(self, future: Future[Any]) -> None:
        """Wait until a future is done. Cancelling this does not cancel the future."""
        waiter = self._loop.create_future()
        future.add_done_callback(lambda _: self._arrived(waiter))
        await waiter

    def _arrived(self, waiter: asyncio.Future[None]) -> None:
        """Pass a waiter to the loop, from any thread."""
        self._come.append(waiter)
        if not self._woken:  # otherwise the loop is about to take it
            self._woken = True
            with suppress(RuntimeError):  # the loop is closed, so nobody waits
                self._loop.call_soon_threadsafe(self._hand_out)

    def _hand_out(self) -> None:
        self._woken = False  # before the loop takes them, so that none is left behind
        while self._come:
            waiter = self._come.popleft()
            if not waiter.done():
                waiter.set_result(None)
