"""Show the status of a task."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from ..options import connected, prints

if TYPE_CHECKING:
    from ..printer import Printer

EXAMPLE = """\b
Example:
  $ wavespeed-client get 6830fb0f7a2b4c1d"""


@click.command(epilog=EXAMPLE)
@click.argument("task_id", metavar="ID")
@prints
def command(printer: Printer, task_id: str) -> None:
    """Show a task's status and outputs. One request. The exit code is 0 even if the task failed."""
    from ..records import output_lines, task_line, task_record

    with connected(printer) as ws:
        task = ws.get(task_id)
    printer.result({"task": task_record(task)}, [task_line(task), *output_lines(task)])
