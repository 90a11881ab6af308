"""Progress on stderr: redrawn on a terminal, otherwise as lines."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from .printer import shows_progress
from .steps import Steps

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from ..batch.outcome import Progress
    from .printer import Printer


@contextmanager
def steps_on(printer: Printer) -> Generator[Steps]:
    """Show the steps of a command."""
    if not shows_progress():
        yield Steps(printer)
        return
    from .live import live_steps

    with live_steps(printer) as steps:
        yield steps


@contextmanager
def batch_progress(printer: Printer, begin: Progress) -> Generator[Callable[[Progress], None]]:
    """Show a batch's progress if stderr is a terminal; yield a function that updates it."""
    if not shows_progress():
        yield lambda progress: None
        return
    from .live import LiveBatch, drawn

    live = LiveBatch(begin)

    def show(progress: Progress) -> None:
        live.progress = progress

    with drawn(printer, live):
        yield show
