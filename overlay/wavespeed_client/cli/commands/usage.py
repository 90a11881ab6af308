"""Show usage by model and by day."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from ..options import connected, moment_in, prints

if TYPE_CHECKING:
    from datetime import datetime

    from ..printer import Printer

EXAMPLE = """\b
Examples:
  $ wavespeed-client usage
  $ wavespeed-client usage --since 2026-01-01 --until 2026-02-01 --model wavespeed-ai/flux-dev"""


@click.command(epilog=EXAMPLE)
@click.option(
    "--since",
    type=moment_in,
    metavar="TIME",
    default="30d",
    show_default=True,
    help="The start: 24h or 2026-01-31.",
)
@click.option("--until", type=moment_in, metavar="TIME", help="The end, at most 31 days later (default: now).")
@click.option("--model", metavar="MODEL", help="Only this model.")
@prints
def command(printer: Printer, since: datetime, until: datetime | None, model: str | None) -> None:
    """Show the cost and number of tasks: in total, by model and by day. One request."""
    from datetime import UTC, datetime

    from ..records import dollars
    from ..tables import table

    with connected(printer) as ws:
        stats = ws.usage(since, until or datetime.now(UTC), model=model)

    def cells(name: str, cost: float | None, count: int | None) -> tuple[str, str, str]:
        return name, "" if cost is None else dollars(cost), "" if count is None else str(count)

    rows = [cells("total", stats.summary.total_cost, stats.summary.total_requests)]
    rows += [cells(row.model_uuid, row.total_cost, row.total_count) for row in stats.per_model_usage or ()]
    rows += [cells(row.date, row.amount, row.count) for row in stats.daily_usage or ()]
    printer.result({"usage": stats.raw}, table(rows))
