"""Groups whose commands are loaded when they are called: help and completion need their names and summaries alone."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, cast

import click

if TYPE_CHECKING:
    from collections.abc import Mapping


class LazyGroup(click.Group):
    """A group of commands, each the `command` of a module of its own.

    Args:
        home: The package that holds the modules.
        summaries: What each command does, in a line, by its name.
    """

    def __init__(self, *args: Any, home: str, summaries: Mapping[str, str], **more: Any) -> None:
        super().__init__(*args, **more)
        self.home = home
        self.summaries = summaries

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of all commands, in the order in which they are shown."""
        return list(self.summaries)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Load a command; None if there is none of this name."""
        if cmd_name not in self.summaries:
            return None
        return cast("click.Command", import_module(f"{self.home}.{cmd_name}").command)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write down what each command does, without loading any."""
        with formatter.section("Commands"):
            formatter.write_dl(list(self.summaries.items()))
