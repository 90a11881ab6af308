"""Upload files and print their URLs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from ..options import connected, prints

if TYPE_CHECKING:
    from ..printer import Printer

PATH = click.Path(exists=True, dir_okay=False, path_type=Path)

EXAMPLE = """\b
Example:
  $ wavespeed-client upload harbour.jpg street.png"""


@click.command(epilog=EXAMPLE)
@click.argument("files", metavar="FILE...", nargs=-1, required=True, type=PATH)
@prints
def command(printer: Printer, files: tuple[Path, ...]) -> None:
    """Upload files, and print their URLs. Free of charge; the service keeps files for 7 days."""
    from ..paying import transfer
    from ..progress import steps_on

    uploads: list[dict[str, str]] = []
    with connected(printer) as ws:
        for file in files:
            with steps_on(printer) as steps:
                url = ws.upload(file, on_progress=transfer(steps, f"uploading {file.name}"))
            uploads.append({"file": str(file), "url": url})
            if not printer.json:  # printed at once, since a later upload may fail
                printer.result({}, [url])
    if printer.json:
        printer.result({"uploads": uploads}, ())
