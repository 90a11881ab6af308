"""Print the steps of a long command, one line each. `live` does the same for terminals."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import define

if TYPE_CHECKING:
    from .printer import Printer


@define(eq=False)
class Steps:
    """The steps of a command, one line each."""

    printer: Printer

    def add(self, text: str) -> None:
        """Print a finished step."""
        self.printer.message(text)

    def now(self, text: str) -> None:
        """Set the current action, which only a terminal shows."""

    def ended(self, text: str) -> None:
        """Set how the current action ended, which only a terminal shows."""
