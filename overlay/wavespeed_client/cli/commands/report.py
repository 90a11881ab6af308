"""Write a contact sheet of a batch's journal."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from ..options import prints

if TYPE_CHECKING:
    from ..printer import Printer

EXAMPLE = """\b
Example:
  $ wavespeed-client report b.jsonl --files out/ -o report.html"""


@click.command(epilog=EXAMPLE)
@click.argument("journal", metavar="JOURNAL", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "-o", "--output", required=True, type=click.Path(dir_okay=False, path_type=Path), help="The file to write."
)
@click.option(
    "--files",
    "folder",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    metavar="DIR",
    help="The folder of `batch --download`, to include pictures.",
)
@prints
def command(printer: Printer, journal: Path, output: Path, folder: Path | None) -> None:
    """Write an HTML file with the pictures, prompts, cost, seconds and failures of a journal.

    Makes no request. The batch may still be running. The file needs no network.
    """
    from ...batch.reading import read_journal
    from ..contact_sheet import contact_sheet

    entries = read_journal(journal)
    if output.exists() and output.samefile(journal):
        raise click.UsageError("--output would overwrite the journal: choose another file.")
    text = contact_sheet(journal.name, entries, folder, output.parent)
    output.write_text(text, "utf-8", "replace")
    printer.result({"report": str(output), "inputs": len(entries)}, [str(output)])
