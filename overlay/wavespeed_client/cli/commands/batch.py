"""Run many inputs from a file, within a budget."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from ..options import amount_in, connected, download_option, max_cost_option, model_argument, prints, seconds_in

if TYPE_CHECKING:
    from ..printer import Printer

EXAMPLE = """\b
Examples:
  $ wavespeed-client batch wavespeed-ai/flux-dev prompts.csv --journal b.jsonl --download out/
  $ wavespeed-client batch wavespeed-ai/flux-dev - --budget 5 --json < inputs.jsonl

After a crash or Ctrl-C, the same command with the same journal goes on where it was, and pays nothing twice."""


@click.command(epilog=EXAMPLE)
@model_argument
@click.argument("source", metavar="FILE")
@click.option("--journal", type=click.Path(dir_okay=False, path_type=Path), help="Go on from this file, and write it.")
@download_option
@max_cost_option
@click.option("--budget", type=amount_in, metavar="USD", help="Spend no more, with what the journal tells of.")
@click.option("--yes", is_flag=True, help="Pay without being asked.")
@click.option("--retry-failed", is_flag=True, help="Submit anew what has failed, by the journal. It is paid again.")
@click.option("--max-in-flight", type=click.IntRange(1), default=8, show_default=True, help="Tasks at once.")
@click.option("--max-per-minute", type=click.IntRange(1), help="Submissions in any minute.")
@click.option("--timeout", type=seconds_in, metavar="TIME", default="10m", help="For each task.  [default: 10m]")
@prints
def command(
    printer: Printer,
    model: str,
    source: str,
    journal: Path | None,
    folder: Path | None,
    max_cost: float | None,
    budget: float | None,
    yes: bool,
    retry_failed: bool,
    max_in_flight: int,
    max_per_minute: int | None,
    timeout: float,
) -> int:
    """Run an input for each row of a file, and print the outputs as they come. This costs money: it asks first.

    FILE is CSV, JSON Lines or a list in JSON; - is stdin. A column is a field of the input, typed by the model's
    schema. One whose name begins with @ holds paths of files, which are uploaded; they begin where FILE is. An empty
    cell leaves its field out.

    Without a terminal it needs --yes or --budget. With --json, each outcome is an object on a line of its own.
    """
    from ..batches import Terms, carried_out, checked

    if retry_failed and journal is None:
        raise click.UsageError("--retry-failed needs --journal, which tells what has failed.")
    terms = Terms(model, source, journal, folder, max_cost, budget, yes, retry_failed)
    limits = {"max_in_flight": max_in_flight, "max_per_minute": max_per_minute, "timeout": timeout}
    with connected(printer) as ws:
        return carried_out(printer, ws, checked(printer, ws, terms), limits)
