"""Printer: results on stdout, all else on stderr, as text or as JSON. Nothing else writes to either."""

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
    """Where a command writes to.

    Args:
        json: Whether results, and the error that ends the command, are JSON.
    """

    def __init__(self, json: bool = False) -> None:
        self.json = json
        self._aside: Callable[[], AbstractContextManager[None]] = nullcontext

    def result(self, record: dict[str, Any], lines: Iterable[str]) -> None:
        """Print a result: the record in JSON, or the lines as they are.

        Raises:
            BrokenPipeError: Nobody reads them.
        """
        text = _as_json(record) if self.json else clean("\n".join(lines))
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


def shows_progress() -> bool:
    """Tell whether stderr is a terminal that lines can be drawn anew on."""
    return sys.stderr.isatty() and os.environ.get("TERM") != "dumb"


def _as_json(record: dict[str, Any]) -> str:
    import json  # which help does without

    return json.dumps(record).replace("\x7f", "\\u007f")
