"""Print the library's log messages."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .printer import Printer


class Messages(logging.Handler):
    """A log handler that writes to the printer, which escapes text from the service."""

    def __init__(self, printer: Printer) -> None:
        super().__init__(logging.WARNING)
        self._printer = printer

    def emit(self, record: logging.LogRecord) -> None:
        """Write a message to stderr."""
        self._printer.message(record.getMessage())
