"""What is drawn anew on a terminal: the line of one task, the table of a batch. The only place that needs rich."""

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
from .story import Story

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

    from rich.console import ConsoleOptions, RenderableType

    from ..batch.outcome import Progress
    from .printer import Printer

SEPARATOR = " · "
DRAWN_A_SECOND = 4
WIDEST = 1000


@define(eq=False)
class LiveStory(Story):
    """The steps of a command in one line, whose end changes."""

    steps: list[str] = field(init=False, factory=list[str])
    _doing: str = field(init=False, default="")
    _since: float = field(init=False, factory=time.monotonic)

    def step(self, text: str) -> None:
        """Tell of something that is done."""
        self.steps.append(one_line(text))
        self._doing, self._since = "", time.monotonic()

    def now(self, text: str) -> None:
        """Tell what is going on, and for how long since the last step."""
        self._doing = one_line(text)

    def ended(self, text: str) -> None:
        """Tell how what was going on has ended, and how long it took."""
        self.step(f"{text} {clock_time(time.monotonic() - self._since)}")

    def line(self) -> str:
        """Return the line as it stands."""
        doing = [f"{self._doing} {clock_time(time.monotonic() - self._since)}"] if self._doing else []
        return SEPARATOR.join([*self.steps, *doing])

    def __rich__(self) -> RenderableType:
        return Text(self.line(), no_wrap=True, overflow="ellipsis")


@contextmanager
def live_story(printer: Printer) -> Generator[LiveStory]:
    """Draw a story while it goes on; leave a line of its steps, uncut, when it is over."""
    story = LiveStory(printer)
    try:
        with drawn(printer, story):
            yield story
    finally:
        if story.steps:
            printer.tell(SEPARATOR.join(story.steps))


@contextmanager
def drawn(printer: Printer, picture: RenderableType) -> Generator[None]:
    """Draw something anew several times a second, below all lines that are written meanwhile."""
    console = Console(stderr=True, highlight=False, markup=False, emoji=False)

    def begun() -> Live:
        live = Live(
            picture,
            console=console,
            refresh_per_second=DRAWN_A_SECOND,
            transient=True,
            redirect_stdout=False,  # it may be another place than stderr
            redirect_stderr=False,
        )
        live.start(refresh=True)
        return live

    lives = [begun()]

    @contextmanager
    def aside() -> Generator[None]:
        lives.pop().stop()
        try:
            yield
        finally:
            lives.append(begun())  # a new one, for the old one would go up to where it was

    try:
        with printer.beside(aside):
            yield
    finally:
        lives.pop().stop()


def clock_time(seconds: float) -> str:
    """Return a time span as 0:41 or 1:02:03."""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


@define(eq=False)
class LiveBatch:
    """How far a batch has got: a table, or where that has no room, words."""

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
