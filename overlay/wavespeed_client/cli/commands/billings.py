"""List charges and refunds."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from ..options import COUNT, connected, moment_in, prints

if TYPE_CHECKING:
    from datetime import datetime

    from ..printer import Printer

EXAMPLE = """\b
Examples:
  $ wavespeed-client billings --since 24h
  $ wavespeed-client billings --task 6830fb0f7a2b4c1d --json"""


@click.command(epilog=EXAMPLE)
@click.option("--type", "kind", type=click.Choice(["deduct", "refund"]), help="Only charges, or only refunds.")
@click.option("--since", type=moment_in, metavar="TIME", help="Only records after this: 24h, 7d or 2026-01-31T18:00.")
@click.option("--until", type=moment_in, metavar="TIME", help="Only records before this.")
@click.option("--task", "tasks", metavar="ID", multiple=True, help="Only records of this task; may be repeated.")
@click.option("--limit", type=COUNT, default=50, show_default=True, help="The most records to list.")
@prints
def command(
    printer: Printer,
    kind: str | None,
    since: datetime | None,
    until: datetime | None,
    tasks: tuple[str, ...],
    limit: int,
) -> None:
    """List charges and refunds in USD, newest first. One request per 100 records."""
    from itertools import islice

    from ..records import dollars
    from ..tables import table

    with connected(printer) as ws:
        found = ws.billings(billing_type=kind, start=since, end=until, prediction_ids=tasks)
        bills = list(islice(found, limit))
    rows = [
        (
            bill.created_at or "",
            bill.billing_type or "",
            "" if bill.price is None else dollars(bill.price),
            (bill.prediction and bill.prediction.uuid) or "",
            (bill.prediction and bill.prediction.model_uuid) or "",
        )
        for bill in bills
    ]
    printer.result({"billings": [bill.raw for bill in bills]}, table(rows))
