"""Print each call of the service as it comes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from ...options import connected, prints

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ....task import Task
    from ...printer import Printer

EXAMPLE = """\b
Example:
  $ wavespeed-client webhook listen --port 9000"""


@click.command(epilog=EXAMPLE)
@click.option("--port", type=click.IntRange(0, 65535), required=True, help="Where to listen; 0 takes a free port.")
@click.option("--host", default="127.0.0.1", show_default=True, help="The address of this machine to listen on.")
@prints
def command(printer: Printer, port: int, host: str) -> None:
    """Listen for the service's calls, print each that came from it, and refuse all others, until Ctrl-C.

    Calls are taken at POST /, so the URL to submit with is that of whatever leads to this port. They are checked with
    WAVESPEED_WEBHOOK_SECRET; without it, the service is asked for the secret, which is one request.
    """
    from threading import Lock

    from ....webhooks import Webhook
    from ...calls import bound, has_secret
    from ...records import output_lines, task_line, task_record

    lock = Lock()

    def received(task: Task, headers: Mapping[str, str], body: bytes) -> None:
        with lock:  # each call has a thread of its own
            printer.result({"task": task_record(task)}, [task_line(task), *output_lines(task)])

    if has_secret():
        webhook = Webhook()
    else:
        with connected(printer) as ws:
            webhook = Webhook(ws.webhook_secret())
    with bound((host, port), webhook, received, printer.tell) as receiver:
        printer.tell(f"Listening on http://{host}:{receiver.server_port}/ (Ctrl-C ends it)")
        receiver.serve_forever()
