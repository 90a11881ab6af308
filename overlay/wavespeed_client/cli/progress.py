"""Progress as stderr can show it: drawn anew where it is a terminal, else as lines."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from .printer import shows_progress
from .story import Story

if TYPE_CHECKING:
    from collections.abc import Generator

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
