"""Time, and deadlines. Tests pass a clock of their own."""

from __future__ import annotations

import math
import time
from contextlib import suppress
from typing import TYPE_CHECKING

from attrs import frozen

from .errors import InvalidInputError

if TYPE_CHECKING:
    import asyncio
    import threading

# Seconds past the end of a wait that its last poll may take.
LAST_POLL = 0.3

# Python's monotonic clock stands still on Linux and macOS while the machine is suspended; these do not.
WAKING: int | None = getattr(time, "CLOCK_BOOTTIME", getattr(time, "CLOCK_MONOTONIC", None))


class Clock:
    """Time that never jumps, and ways to sleep."""

    def now(self) -> float:
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)

    async def asleep(self, seconds: float) -> None:
        import asyncio  # slow to load, and a sync program does not need it

        await asyncio.sleep(seconds)

    def wait(self, condition: threading.Condition, seconds: float) -> None:
        """Wait until the condition is notified, for at most `seconds`. It may return earlier."""
        # Windows notices Ctrl-C only between two waits.
        condition.wait(min(seconds, 1.0))

    async def await_event(self, event: asyncio.Event, seconds: float) -> None:
        """Wait until the event is set, for at most `seconds`."""
        import asyncio

        if math.isinf(seconds):
            await event.wait()
            return
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await event.wait()


class WakingClock(Clock):
    """Time that passes while the machine is suspended, too."""

    def now(self) -> float:
        return time.monotonic() if WAKING is None else time.clock_gettime(WAKING)


@frozen
class Deadline:
    """The moment at which waiting ends."""

    clock: Clock
    at: float

    @classmethod
    def after(cls, seconds: float | None, clock: Clock) -> Deadline:
        """Return a deadline `seconds` from now; for None, one that never comes.

        Raises:
            InvalidInputError: It is not a number of seconds, 0 or more.
        """
        try:
            number = math.inf if seconds is None else float(seconds)
        except (TypeError, ValueError, OverflowError):
            number = math.nan
        if not number >= 0 or isinstance(seconds, str):
            raise InvalidInputError("timeout must be a number of seconds, 0 or more, or None to wait without end.")
        return cls(clock, clock.now() + number)

    def left(self) -> float:
        """Return the seconds until the deadline; 0 once it has passed."""
        return max(0.0, self.at - self.clock.now())

    def and_a_last_poll(self) -> Deadline:
        """Return a slightly later deadline for the polls of a wait, so that even a wait of 0 seconds can poll once."""
        return Deadline(self.clock, self.at + LAST_POLL)
