"""How responses come from the writer's thread to an event loop: all that are there wake it once."""

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
    """Futures that a loop waits for, and that other threads have settled."""

    _loop: asyncio.AbstractEventLoop = field(factory=asyncio.get_running_loop)
    _come: deque[asyncio.Future[None]] = field(init=False, factory=deque["asyncio.Future[None]"])
    _woken: bool = field(init=False, default=False)

    async def wait(self, future: Future[Any]) -> None:
        """Wait until a future is settled. Cancelling this leaves the future as it is."""
        waiter = self._loop.create_future()
        future.add_done_callback(lambda _: self._arrived(waiter))
        await waiter

    def _arrived(self, waiter: asyncio.Future[None]) -> None:
        """Hand a waiter over to the loop, from any thread."""
        self._come.append(waiter)
        if not self._woken:  # otherwise the loop is about to take all that have come
            self._woken = True
            with suppress(RuntimeError):  # the loop is closed, and nothing waits any more
                self._loop.call_soon_threadsafe(self._hand_out)

    def _hand_out(self) -> None:
        self._woken = False  # before they are taken, so that none is left behind
        while self._come:
            waiter = self._come.popleft()
            if not waiter.done():
                waiter.set_result(None)
