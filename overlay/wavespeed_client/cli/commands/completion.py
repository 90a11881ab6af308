"""Print a shell completion script."""

from __future__ import annotations

import click

EXAMPLE = """\b
Example:
  $ wavespeed-client completion bash > ~/.local/share/bash-completion/completions/wavespeed-client"""


@click.command(epilog=EXAMPLE)
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def command(context: click.Context, shell: str) -> None:
    """Print the script with which a shell completes commands, options and files."""
    from click.shell_completion import get_completion_class

    from .. import NAME

    kind = get_completion_class(shell)
    if kind is not None:
        click.echo(kind(context.find_root().command, {}, NAME, "_WAVESPEED_CLIENT_COMPLETE").source())
