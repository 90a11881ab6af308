"""List or search models."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from ..options import connected, prints

if TYPE_CHECKING:
    from ...catalogue.rows import Model
    from ..printer import Printer

EXAMPLE = """\b
Examples:
  $ wavespeed-client models flux
  $ wavespeed-client models i2v --type image-to-video"""


@click.command(epilog=EXAMPLE)
@click.argument("words", metavar="[WORD]...", nargs=-1)
@click.option("--type", "kind", metavar="TYPE", help="Only models of this type, such as text-to-image.")
@prints
def command(printer: Printer, words: tuple[str, ...], kind: str | None) -> None:
    """List models with type and base price: all, or those that match all words. One request."""
    from ..records import dollars
    from ..tables import table

    with connected(printer) as ws:
        rows = [row for row in ws.models() if _fits(row, words, kind)]
    if not rows:
        printer.message("No model matches.")
    records = [
        {"id": row.model_id, "type": row.type_, "base_price": row.base_price, "description": row.description}
        for row in rows
    ]
    prices = ["" if row.base_price is None else dollars(row.base_price) for row in rows]
    cells = [
        (row.model_id, row.type_ or "", price, row.description or "") for row, price in zip(rows, prices, strict=True)
    ]
    printer.result({"models": records}, table(cells))


def _fits(row: Model, words: tuple[str, ...], kind: str | None) -> bool:
    text = " ".join(filter(None, (row.model_id, row.name, row.type_, row.description))).lower()
    return kind in (None, row.type_) and all(word.lower() in text for word in words)
