"""Submit a task, wait for it and print its outputs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from ..options import (
    connected,
    download_option,
    fields_argument,
    max_cost_option,
    model_argument,
    prints,
    timeout_option,
)

if TYPE_CHECKING:
    from pathlib import Path

    from ..printer import Printer

EXAMPLE = """\b
Examples:
  $ wavespeed-client run wavespeed-ai/flux-dev prompt="A red bicycle"
  $ wavespeed-client run wavespeed-ai/wan-2.1/i2v-480p prompt=waves image=@harbour.jpg \\
      --max-cost 0.30 --download out/"""


@click.command(epilog=EXAMPLE)
@model_argument
@fields_argument
@max_cost_option
@timeout_option
@download_option
@prints
def command(
    printer: Printer,
    model: str,
    given: tuple[str, ...],
    max_cost: float | None,
    timeout: float,
    folder: Path | None,
) -> None:
    """Submit a task, wait for it and print its outputs. This costs money: the price is shown first.

    \b
    NAME=TEXT   text, or the type in the model's schema
    NAME:=JSON  JSON, sent unchanged
    NAME=@FILE  a file to upload
    Repeat a field to send a list.
    """
    from ..paying import create_folder, given_input, save, submit, wait
    from ..progress import steps_on
    from ..records import output_lines, task_record

    with connected(printer) as ws, steps_on(printer) as steps:
        input = given_input(printer, ws, model, given)
        create_folder(folder)
        price, task = submit(ws, steps, model, input, max_cost)
        task = wait(ws, steps, task, timeout)
        paths = [str(path) for path in save(ws, steps, task, folder)]
    record = {"task": task_record(task), "price": price.discounted_price, "files": paths}
    printer.result(record, output_lines(task) if folder is None else paths)
