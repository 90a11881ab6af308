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
    help="The folder (default: the current one).",
)
@prints
def command(printer: Printer, wanted: tuple[str, ...], folder: Path) -> None:
    """Download all outputs of completed tasks, or single URLs, to a folder, and print their paths.

    No existing file is replaced. A task's output that is already in the folder is not downloaded again.
    """
    from ...task import is_url
    from ..paying import create_folder, save, transfer
    from ..progress import steps_on

    create_folder(folder)
    paths: list[str] = []
    with connected(printer) as ws:
        for one in wanted:
            with steps_on(printer) as steps:
                if is_url(one):
                    found = [ws.download(one, folder, on_progress=transfer(steps, "downloading"))]
                else:
                    found = save(ws, steps, ws.get(one), folder)
            paths += map(str, found)
            if not printer.json:
                printer.result({}, map(str, found))
    if printer.json:
        printer.result({"files": paths}, ())
