"""A writer whose responses are awaited in an event loop. Responses that come together wake the loop once."""

from __future__ import annotations

import asyncio
import math
from concurrent.futures import Future
from contextlib import suppress
from typing import TYPE_CHECKING, TypeVar

from attrs import define, field

from ...errors import WaveSpeedError
from .requests import Claim, Release
from .writer import Writer

if TYPE_CHECKING:
    from collections.abc import Callable

    from .requests import Request

T = TypeVar("T")


@define(eq=False)
class AsyncWriter(Writer):
    """Async Writer."""

    _loop: asyncio.AbstractEventLoop = field(init=False, factory=asyncio.get_running_loop)
    _timer: asyncio.TimerHandle | None = field(init=False, default=None)

    async def open(self) -> None:
        """Async open."""
        try:
            await asyncio.wait_for(asyncio.shield(asyncio.wrap_future(self._start())), self.seconds)
        except TimeoutError:
            raise self.give_up() from None
        except BaseException:
            self.leave()
            raise

    async def response(self, request: Request[T]) -> T:
        """Async response. If it is cancelled, the request is carried out all the same; but a claim is released."""
        future: asyncio.Future[T] = self.enqueue(request, self._loop.create_future())
        if self._timer is None:  # one for all, since one for each would cost more than the futures
            self._timer = self._loop.call_later(self.seconds, self._look_at_the_clock)
        try:
            return await future
        except BaseException:
            if isinstance(request, Claim):
                with suppress(WaveSpeedError):
                    self.enqueue(Release(request), Future[None]())
            raise

    async def close(self) -> None:
        """Async close."""
        await asyncio.to_thread(super().close)
        if self._timer is not None:
            self._timer.cancel()

    def _look_at_the_clock(self) -> None:
        """Give up if a request has waited too long."""
        self._timer = None
        with self._news:
            until = next((until for _, _, until in (*self._taken, *self._queue)), math.inf)
        left = until - self.clock.now()
        if left <= 0:
            self.give_up()
        elif left < math.inf:
            self._timer = self._loop.call_later(left, self._look_at_the_clock)

    def _deliver(self, settle: Callable[[], None]) -> None:
        with suppress(RuntimeError):  # the loop is closed, so nobody waits
            self._loop.call_soon_threadsafe(settle)
