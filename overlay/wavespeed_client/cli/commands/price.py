"""Show the price of a task."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from ..options import connected, fields_argument, model_argument, prints

if TYPE_CHECKING:
    from ..printer import Printer

EXAMPLE = """\b
Example:
  $ wavespeed-client price wavespeed-ai/flux-dev prompt=waves num_images=4"""


@click.command(epilog=EXAMPLE)
@model_argument
@fields_argument
@prints
def command(printer: Printer, model: str, given: tuple[str, ...]) -> None:
    """Show the price of a task with this input, or the base price. Nothing is paid or uploaded.

    Write the input's fields as for `run`.
    """
    from ...files.inputs import files_in
    from ..paying import given_input
    from ..records import price_text

    with connected(printer) as ws:
        input = given_input(printer, ws, model, given) if given else None
        price = ws.price(model, input)
    if input and files_in(input):
        printer.message("This is an estimate: the price may depend on the files, which were not uploaded.")
    record = {"amount": price.discounted_price, "currency": price.currency or "USD", "without_discount": price.price}
    printer.result({"model": model, "price": record}, [price_text(price)])
