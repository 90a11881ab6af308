"""What a command that takes a while tells of its steps: a line each, or one live line where stderr is a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import define

if TYPE_CHECKING:
    from .printer import Printer


@define(eq=False)
class Story:
    """The steps of a command, a line each. What changes between two steps is not told."""

    printer: Printer

    def step(self, text: str) -> None:
        """Tell of something that is done."""
        self.printer.tell(text)

    def now(self, text: str) -> None:
        """Tell what is going on."""

    def ended(self, text: str) -> None:
        """Tell how what was going on has ended."""
