"""Print results to stdout and everything else to stderr, as text or JSON. Only this module writes to either."""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager, nullcontext, suppress
from typing import TYPE_CHECKING, Any

from .escapes import clean

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable
    from contextlib import AbstractContextManager


class Printer:
    """The output of a command.

    Args:
        json: Whether to print results, and the error that ends the command, as JSON.
    """

    def __init__(self, json: bool = False) -> None:
        self.json = json
        self._paused: Callable[[], AbstractContextManager[None]] = nullcontext

    def result(self, record: dict[str, Any], lines: Iterable[str]) -> None:
        """Print a result: the record as JSON, or the lines.

        Raises:
            BrokenPipeError: The reader has closed the pipe.
        """
        text = _as_json(record) if self.json else clean("\n".join(lines))
        if text:
            with self._paused():
                sys.stdout.write(text + "\n")
                sys.stdout.flush()

    def message(self, text: str) -> None:
        """Write a message to stderr. A closed stderr is ignored: a command may be waiting for a paid task."""
        with suppress(OSError, ValueError), self._paused():
            sys.stderr.write(clean(text) + "\n")
            sys.stderr.flush()

    @contextmanager
    def pausing(self, paused: Callable[[], AbstractContextManager[None]]) -> Generator[None]:
        """Enter `paused` around every line that is written, to pause a live display."""
        self._paused = paused
        try:
            yield
        finally:
            self._paused = nullcontext


def shows_progress() -> bool:
    """Return whether stderr is a terminal that can redraw lines."""
    return sys.stderr.isatty() and os.environ.get("TERM") != "dumb"


def _as_json(record: dict[str, Any]) -> str:
    import json  # late, since --help does not need it

    return json.dumps(record).replace("\x7f", "\\u007f")
