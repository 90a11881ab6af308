"""Write Python types for models' inputs."""

from __future__ import annotations

import click

EXAMPLE = """\b
Examples:
  $ wavespeed-client types models.py wavespeed-ai/flux-dev
  $ wavespeed-client types models.py --check"""


@click.command(
    epilog=EXAMPLE,
    context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False},
)
@click.argument("arguments", metavar="FILE [MODEL]... [OPTIONS]", nargs=-1, type=click.UNPROCESSED, required=True)
def command(arguments: tuple[str, ...]) -> int:
    """Write Python types for models' inputs to a module, for mypy, pyright and ty.

    The same as `python -m wavespeed_client.typed`. For its options, run `wavespeed-client types -- --help`.
    """
    from ...typed.__main__ import main

    return main(list(arguments))
