"""What the library logs: it may hold the service's words, so it goes through the printer."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .printer import Printer


class Messages(logging.Handler):
    """Hands what the library logs to a printer: it may hold the service's words."""

    def __init__(self, printer: Printer) -> None:
        super().__init__(logging.WARNING)
        self._printer = printer

    def emit(self, record: logging.LogRecord) -> None:
        """Write a message to stderr."""
        self._printer.tell(record.getMessage())
