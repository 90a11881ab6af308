"""Command groups that import a command when it is called. Help and completion only need names and summaries."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, cast

import click

if TYPE_CHECKING:
    from collections.abc import Mapping


class LazyGroup(click.Group):
    """A group of commands. Each is the `command` in a module of its name.

    Args:
        home: The package of the modules.
        summaries: One line of help for each command, by name.
    """

    def __init__(self, *args: Any, home: str, summaries: Mapping[str, str], **more: Any) -> None:
        super().__init__(*args, **more)
        self.home = home
        self.summaries = summaries

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of all commands, in the order of the help text."""
        return list(self.summaries)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a command; return None if it does not exist."""
        if cmd_name not in self.summaries:
            return None
        return cast("click.Command", import_module(f"{self.home}.{cmd_name}").command)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the summaries, without importing the commands."""
        with formatter.section("Commands"):
            formatter.write_dl(list(self.summaries.items()))
