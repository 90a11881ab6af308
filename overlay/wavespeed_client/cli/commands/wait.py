"""Wait for a task and print its outputs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from ..options import connected, download_option, prints, timeout_option

if TYPE_CHECKING:
    from pathlib import Path

    from ..printer import Printer

EXAMPLE = """\b
Example:
  $ wavespeed-client wait 6830fb0f7a2b4c1d --timeout 20m --download out/"""


@click.command(epilog=EXAMPLE)
@click.argument("task_id", metavar="ID")
@timeout_option
@download_option
@prints
def command(printer: Printer, task_id: str, timeout: float, folder: Path | None) -> None:
    """Wait until a task has ended, and print its outputs. Free of charge."""
    from ...arguments import task_of
    from ..paying import create_folder, save, wait
    from ..progress import steps_on
    from ..records import output_lines, task_record

    task_of(task_id)
    with connected(printer) as ws, steps_on(printer) as steps:
        create_folder(folder)
        task = wait(ws, steps, task_id, timeout)
        paths = [str(path) for path in save(ws, steps, task, folder)]
    printer.result({"task": task_record(task), "files": paths}, output_lines(task) if folder is None else paths)
