"""Live progress on a terminal: one line for a task, a table for a batch. The only module that imports rich."""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from attrs import define, field
from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

from .escapes import one_line
from .records import dollars
from .steps import Steps

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

    from rich.console import ConsoleOptions, RenderableType

    from ..batch.outcome import Progress
    from .printer import Printer

SEPARATOR = " · "
DRAWN_A_SECOND = 4
WIDEST = 1000


@define(eq=False)
class LiveSteps(Steps):
    """The steps of a command on one line that is redrawn."""

    added: list[str] = field(init=False, factory=list[str])
    _doing: str = field(init=False, default="")
    _since: float = field(init=False, factory=time.monotonic)

    def add(self, text: str) -> None:
        """Add a finished step."""
        self.added.append(one_line(text))
        self._doing, self._since = "", time.monotonic()

    def now(self, text: str) -> None:
        """Set the current action, shown with the time since the last step."""
        self._doing = one_line(text)

    def ended(self, text: str) -> None:
        """Add a step with the time that it took."""
        self.add(f"{text} {clock_time(time.monotonic() - self._since)}")

    def line(self) -> str:
        """Return the current line."""
        doing = [f"{self._doing} {clock_time(time.monotonic() - self._since)}"] if self._doing else []
        return SEPARATOR.join([*self.added, *doing])

    def __rich__(self) -> RenderableType:
        return Text(self.line(), no_wrap=True, overflow="ellipsis")


@contextmanager
def live_steps(printer: Printer) -> Generator[LiveSteps]:
    """Redraw the steps of a command until it ends, then print them on one line."""
    steps = LiveSteps(printer)
    try:
        with drawn(printer, steps):
            yield steps
    finally:
        if steps.added:
            printer.message(SEPARATOR.join(steps.added))


@contextmanager
def drawn(printer: Printer, picture: RenderableType) -> Generator[None]:
    """Redraw something several times a second, below the lines that the printer writes."""
    console = Console(stderr=True, highlight=False, markup=False, emoji=False)

    def start() -> Live:
        live = Live(
            picture,
            console=console,
            refresh_per_second=DRAWN_A_SECOND,
            transient=True,
            redirect_stdout=False,  # stdout may be a pipe
            redirect_stderr=False,
        )
        live.start(refresh=True)
        return live

    lives = [start()]

    @contextmanager
    def paused() -> Generator[None]:
        lives.pop().stop()
        try:
            yield
        finally:
            lives.append(start())  # a new one, since the old one would redraw over the new lines

    try:
        with printer.pausing(paused):
            yield
    finally:
        lives.pop().stop()


def clock_time(seconds: float) -> str:
    """Format seconds as 0:41 or 1:02:03."""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


@define(eq=False)
class LiveBatch:
    """The progress of a batch as a table, or as text on a narrow terminal."""

    progress: Progress

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[RenderableType]:
        cells = _cells(self.progress)
        table = Table(*cells, box=None, pad_edge=False, padding=(0, 2, 0, 0))
        table.add_row(*cells.values())
        if console.measure(table, options=options.update_width(WIDEST)).minimum <= options.max_width:
            yield table
        else:
            yield Text(SEPARATOR.join(f"{name} {value}" for name, value in cells.items() if value))


def _cells(progress: Progress) -> dict[str, str]:
    cost, rate, left = progress.cost, progress.rate, progress.seconds_left
    return {
        "done": f"{progress.done}/{progress.total}",
        "failed": str(progress.failed),
        "uncertain": str(progress.uncertain),
        "in\u00a0flight": str(progress.in_flight),
        "cost": "" if cost is None else dollars(cost),
        "rate": "" if rate is None else f"{60 * rate:.3g}/min",
        "time\u00a0left": "" if left is None else clock_time(left),
    }
