"""Progress as stderr can show it: drawn anew where it is a terminal, else as lines."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from .printer import shows_progress
from .story import Story

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from ..batch.outcome import Progress
    from .printer import Printer


@contextmanager
def told(printer: Printer) -> Generator[Story]:
    """Tell the steps of a command as they come."""
    if not shows_progress():
        yield Story(printer)
        return
    from .live import live_story

    with live_story(printer) as story:
        yield story


@contextmanager
def batch_shown(printer: Printer, begin: Progress) -> Generator[Callable[[Progress], None]]:
    """Show how far a batch has got, where stderr is a terminal; it is told of that by what is returned."""
    if not shows_progress():
        yield lambda progress: None
        return
    from .live import LiveBatch, drawn

    live = LiveBatch(begin)

    def show(progress: Progress) -> None:
        live.progress = progress

    with drawn(printer, live):
        yield show
