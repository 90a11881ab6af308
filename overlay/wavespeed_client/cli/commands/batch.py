"""Run many inputs from a file, within a budget."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from ..options import COUNT, amount_in, connected, download_option, max_cost_option, model_argument, prints, seconds_in

if TYPE_CHECKING:
    from ..printer import Printer

EXAMPLE = """\b
Examples:
  $ wavespeed-client batch wavespeed-ai/flux-dev prompts.csv --journal b.jsonl --download out/
  $ wavespeed-client batch wavespeed-ai/flux-dev - --budget 5 --json < inputs.jsonl

After a crash or Ctrl-C, run the same command with the same journal to continue. Nothing is paid twice."""


@click.command(epilog=EXAMPLE)
@model_argument
@click.argument("source", metavar="FILE")
@click.option(
    "--journal", type=click.Path(dir_okay=False, path_type=Path), help="Record the batch here, or continue it."
)
@download_option
@max_cost_option
@click.option("--budget", type=amount_in, metavar="USD", help="The most to spend, including the journal's tasks.")
@click.option("--yes", is_flag=True, help="Pay without asking.")
@click.option("--retry-failed", is_flag=True, help="Submit the journal's failed tasks again, and pay for them.")
@click.option("--max-in-flight", type=COUNT, default=8, show_default=True, help="The most tasks at once.")
@click.option("--max-per-minute", type=COUNT, help="The most submissions per minute.")
@click.option(
    "--timeout", type=seconds_in, metavar="TIME", default="10m", help="Most time for each task.  [default: 10m]"
)
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
    """Run a task for each row of a file, and print outputs as they arrive. This costs money: it asks first.

    FILE is CSV, JSON Lines or a JSON list; - is stdin. Each column is a field of the input, typed by the model's
    schema. A column whose name begins with @ contains paths, relative to FILE, of files to upload. Empty cells are
    left out.

    Without a terminal, --yes or --budget is required. With --json, each outcome is one line.
    """
    from ..batches import Terms, carry_out, prepare

    if retry_failed and journal is None:
        raise click.UsageError("--retry-failed needs --journal, the file that lists the failed tasks.")
    terms = Terms(model, source, journal, folder, max_cost, budget, yes, retry_failed)
    limits = {"max_in_flight": max_in_flight, "max_per_minute": max_per_minute, "timeout": timeout}
    with connected(printer) as ws:
        return carry_out(printer, ws, prepare(printer, ws, terms), limits)
