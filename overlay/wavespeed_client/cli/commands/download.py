"""Download the outputs of tasks, or URLs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from ..options import connected, prints

if TYPE_CHECKING:
    from ..printer import Printer

EXAMPLE = """\b
Examples:
  $ wavespeed-client download 6830fb0f7a2b4c1d --to out/
  $ wavespeed-client download https://example.com/1.png"""


@click.command(epilog=EXAMPLE)
@click.argument("wanted", metavar="ID|URL...", nargs=-1, required=True)
@click.option(
    "--to",
    "folder",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path(),
    metavar="DIR",
    help="The folder; else the one you are in.",
)
@prints
def command(printer: Printer, wanted: tuple[str, ...], folder: Path) -> None:
    """Download all outputs of completed tasks, or single URLs, into a folder, and print their paths.

    No other file is replaced, and what is there already is not fetched again.
    """
    from ...task import is_url
    from ..paying import checked_folder, saved, transfer
    from ..progress import told

    checked_folder(folder)
    paths: list[str] = []
    with connected(printer) as ws:
        for one in wanted:
            with told(printer) as story:
                if is_url(one):
                    found = [ws.download(one, folder, on_progress=transfer(story, "downloading"))]
                else:
                    found = saved(ws, story, ws.get(one), folder)
            paths += map(str, found)
            if not printer.json:
                printer.result({}, map(str, found))
    if printer.json:
        printer.result({"files": paths}, ())
