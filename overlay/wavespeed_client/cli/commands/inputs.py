"""Show the input fields of a model."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from ..options import connected, model_argument, prints

if TYPE_CHECKING:
    from ..printer import Printer

EXAMPLE = """\b
Example:
  $ wavespeed-client inputs wavespeed-ai/flux-dev"""


@click.command(epilog=EXAMPLE)
@model_argument
@prints
def command(printer: Printer, model: str) -> None:
    """Show a model's input fields: type, default, limits and choices. One request."""
    from attrs import asdict

    with connected(printer) as ws:
        info = ws.model(model)
    printer.result(asdict(info), str(info).splitlines())
