"""Show the account's balance."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from ..options import connected, prints

if TYPE_CHECKING:
    from ..printer import Printer

EXAMPLE = """\b
Example:
  $ wavespeed-client balance"""


@click.command(epilog=EXAMPLE)
@prints
def command(printer: Printer) -> None:
    """Show the account's balance in USD. One request."""
    from ..records import dollars

    with connected(printer) as ws:
        balance = ws.balance()
    printer.result({"balance": balance}, [dollars(balance)])
