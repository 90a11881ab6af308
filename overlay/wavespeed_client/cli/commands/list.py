"""List the tasks of the last 7 days."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from ..options import connected, moment_in, prints

if TYPE_CHECKING:
    from datetime import datetime

    from ..printer import Printer

EXAMPLE = """\b
Examples:
  $ wavespeed-client list --since 24h --status failed
  $ wavespeed-client list --model wavespeed-ai/flux-dev --limit 1000 --json"""


@click.command(epilog=EXAMPLE)
@click.option("--model", metavar="MODEL", help="Only tasks of this model.")
@click.option("--status", metavar="WORD", help="Only created, processing, completed, failed, ... ones.")
@click.option(
    "--since", type=moment_in, metavar="TIME", help="Only tasks submitted since: 24h, 7d or 2026-01-31T18:00."
)
@click.option("--until", type=moment_in, metavar="TIME", help="Only tasks submitted before then.")
@click.option("--limit", type=click.IntRange(1), default=50, show_default=True, help="Tasks at most.")
@prints
def command(
    printer: Printer,
    model: str | None,
    status: str | None,
    since: datetime | None,
    until: datetime | None,
    limit: int,
) -> None:
    """List tasks, newest first. One request for each 100."""
    from itertools import islice

    from ..records import task_line, task_record

    with connected(printer) as ws:
        tasks = list(islice(ws.tasks(model=model, status=status, created_after=since, created_before=until), limit))
    printer.result({"tasks": [task_record(task) for task in tasks]}, map(task_line, tasks))
