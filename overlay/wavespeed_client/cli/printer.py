"""Printer: results on stdout, all else on stderr, as text or as JSON. Nothing else writes to either."""

from __future__ import annotations

import json
import logging
import sys
from contextlib import contextmanager, nullcontext, suppress
from typing import TYPE_CHECKING, Any

from attrs import define, field

from .escapes import clean

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable
    from contextlib import AbstractContextManager


@define(eq=False)
class Printer:
    """Where a command writes to.

    Attributes:
        json: Whether results, and the error that ends the command, are JSON.
    """

    json: bool = False
    _aside: Callable[[], AbstractContextManager[None]] = field(init=False, default=nullcontext)

    def result(self, record: dict[str, Any], lines: Iterable[str]) -> None:
        """Print a result: the record in JSON, or the lines as they are.

        Raises:
            BrokenPipeError: Nobody reads them.
        """
        text = json.dumps(record).replace("\x7f", "\\u007f") if self.json else clean("\n".join(lines))
        if text:
            with self._aside():
                sys.stdout.write(text + "\n")
                sys.stdout.flush()

    def tell(self, text: str) -> None:
        """Write a message to stderr. That nobody reads it is no reason to end a command that waits for a paid task."""
        with suppress(OSError, ValueError), self._aside():
            sys.stderr.write(clean(text) + "\n")
            sys.stderr.flush()

    @contextmanager
    def beside(self, aside: Callable[[], AbstractContextManager[None]]) -> Generator[None]:
        """Let something live be set aside whenever a line is written."""
        self._aside = aside
        try:
            yield
        finally:
            self._aside = nullcontext


class Messages(logging.Handler):
    """Hands what the library logs to a printer: it may hold the service's words."""

    def __init__(self, printer: Printer) -> None:
        super().__init__(logging.WARNING)
        self._printer = printer

    def emit(self, record: logging.LogRecord) -> None:
        """Write a message to stderr."""
        self._printer.tell(record.getMessage())


def shows_progress() -> bool:
    """Tell whether stderr is a terminal that lines can be drawn anew on."""
    import os

    return sys.stderr.isatty() and os.environ.get("TERM") != "dumb"
