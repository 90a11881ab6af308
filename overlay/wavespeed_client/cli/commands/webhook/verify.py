"""Check a saved call."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from ...options import connected, prints, seconds_in

if TYPE_CHECKING:
    from ...printer import Printer

EXAMPLE = """\b
Example:
  $ wavespeed-client webhook verify call.http --max-age 5m"""

# Seconds, more than any call is old.
ANY_AGE = 1e12


@click.command(epilog=EXAMPLE)
@click.argument("file", metavar="FILE", type=click.Path(True, dir_okay=False, path_type=Path))
@click.option("--max-age", type=seconds_in, metavar="TIME", help="Refuse a call that is older; any age without it.")
@prints
def command(printer: Printer, file: Path, max_age: float | None) -> None:
    """Check a call that was saved as it came: headers, an empty line, the body's bytes. Print its task.

    WAVESPEED_WEBHOOK_SECRET is the secret; without it, the service is asked for it, which is one request. The exit code
    is 1 for a call that did not come from the service.
    """
    from ....webhooks import Webhook
    from ...calls import has_secret, read_call
    from ...records import output_lines, task_line, task_record

    headers, body = read_call(file)
    tolerance = ANY_AGE if max_age is None else max_age
    if has_secret():
        webhook = Webhook(tolerance=tolerance)
    else:
        with connected(printer) as ws:
            webhook = Webhook(ws.webhook_secret(), tolerance=tolerance)
    task = webhook.parse(body, headers)
    printer.result({"task": task_record(task)}, [task_line(task), *output_lines(task)])
