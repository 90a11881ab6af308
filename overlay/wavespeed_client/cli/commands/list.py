"""List the tasks of the last 7 days."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from ..options import COUNT, connected, moment_in, prints

if TYPE_CHECKING:
    from datetime import datetime

    from ..printer import Printer

EXAMPLE = """\b
Examples:
  $ wavespeed-client list --since 24h --status failed
  $ wavespeed-client list --model wavespeed-ai/flux-dev --limit 1000 --json"""


@click.command(epilog=EXAMPLE)
@click.option("--model", metavar="MODEL", help="Only tasks of this model.")
@click.option("--status", metavar="STATUS", help="Only tasks with this status, such as completed or failed.")
@click.option("--since", type=moment_in, metavar="TIME", help="Only tasks after this: 24h, 7d or 2026-01-31T18:00.")
@click.option("--until", type=moment_in, metavar="TIME", help="Only tasks before this.")
@click.option("--limit", type=COUNT, default=50, show_default=True, help="The most tasks to list.")
@prints
def command(
    printer: Printer,
    model: str | None,
    status: str | None,
    since: datetime | None,
    until: datetime | None,
    limit: int,
) -> None:
    """List tasks of the last 7 days, newest first. One request per 100 tasks."""
    from itertools import islice

    from ..records import task_line, task_record

    with connected(printer) as ws:
        tasks = list(islice(ws.tasks(model=model, status=status, created_after=since, created_before=until), limit))
    printer.result({"tasks": [task_record(task) for task in tasks]}, map(task_line, tasks))
