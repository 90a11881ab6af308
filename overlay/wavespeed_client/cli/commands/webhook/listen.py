"""Receive webhooks and print their tasks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from ...options import prints

if TYPE_CHECKING:
    from ....task import Task
    from ...printer import Printer

EXAMPLE = """\b
Example:
  $ wavespeed-client webhook listen --port 9000"""

# Seconds; older webhooks may have been recorded and sent again.
MAX_AGE = 300.0


@click.command(epilog=EXAMPLE)
@click.option("--port", type=click.IntRange(0, 65535), required=True, help="The port to listen on; 0 for a free one.")
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@prints
def command(printer: Printer, port: int, host: str) -> None:
    """Receive webhooks at POST / until Ctrl-C. Print the tasks of authentic ones, and refuse all others.

    Submit with a public URL that forwards to this port. Webhooks are verified with WAVESPEED_WEBHOOK_SECRET; without
    it, the secret is fetched from the service, which costs one request.
    """
    from threading import Lock

    from ...records import output_lines, task_line, task_record
    from ...webhook_calls import listening, webhook_for

    lock = Lock()

    def received(task: Task) -> None:
        with lock:  # each request has its own thread
            printer.result({"task": task_record(task)}, [task_line(task), *output_lines(task)])

    webhook = webhook_for(printer, MAX_AGE)
    with listening((host, port), webhook, received, printer.message) as receiver:
        printer.message(f"Listening on http://{host}:{receiver.server_port}/ (stop with Ctrl-C)")
        receiver.serve_forever()
