"""Submit a task and print its id."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from ..options import connected, fields_argument, max_cost_option, model_argument, prints

if TYPE_CHECKING:
    from ..printer import Printer

EXAMPLE = """\b
Examples:
  $ wavespeed-client submit wavespeed-ai/flux-dev prompt="A red bicycle"
  $ id=$(wavespeed-client submit wavespeed-ai/flux-dev prompt=waves | cut -d ' ' -f 1)"""


@click.command(epilog=EXAMPLE)
@model_argument
@fields_argument
@max_cost_option
@click.option("--webhook", metavar="URL", help="Send a webhook to this URL when the task has ended.")
@prints
def command(printer: Printer, model: str, given: tuple[str, ...], max_cost: float | None, webhook: str | None) -> None:
    """Submit a task, and print one line that begins with its id. This costs money: the price is shown first.

    Write the input's fields as for `run`.
    """
    from ...arguments import checked_webhook
    from ..paying import given_input, submit
    from ..progress import steps_on
    from ..records import task_line, task_record

    with connected(printer) as ws, steps_on(printer) as steps:
        checked_webhook(webhook)
        input = given_input(printer, ws, model, given)
        price, task = submit(ws, steps, model, input, max_cost, webhook)
    printer.result({"task": task_record(task), "price": price.discounted_price}, [task_line(task)])
