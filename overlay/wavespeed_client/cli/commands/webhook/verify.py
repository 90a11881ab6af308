"""Verify a saved webhook."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from ...options import prints, seconds_in

if TYPE_CHECKING:
    from ...printer import Printer

EXAMPLE = """\b
Example:
  $ wavespeed-client webhook verify call.http --max-age 5m"""

# Seconds; no webhook is older.
ANY_AGE = 1e12


@click.command(epilog=EXAMPLE)
@click.argument("file", metavar="FILE", type=click.Path(True, dir_okay=False, path_type=Path))
@click.option("--max-age", type=seconds_in, metavar="TIME", help="Refuse an older webhook (default: any age).")
@prints
def command(printer: Printer, file: Path, max_age: float | None) -> None:
    """Verify a saved webhook, and print its task. The exit code is 1 if it is not authentic.

    FILE contains the headers, an empty line, and the unchanged body. The secret is WAVESPEED_WEBHOOK_SECRET; without
    it, the secret is fetched from the service, which costs one request.
    """
    from ...records import output_lines, task_line, task_record
    from ...webhook_calls import read_call, webhook_for

    headers, body = read_call(file)
    task = webhook_for(printer, ANY_AGE if max_age is None else max_age).parse(body, headers)
    printer.result({"task": task_record(task)}, [task_line(task), *output_lines(task)])
