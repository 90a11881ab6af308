"""Tables of plain text, cut to the width of a terminal."""

from __future__ import annotations

import shutil
import sys
from typing import TYPE_CHECKING

from ..media.table import width
from .escapes import one_line

if TYPE_CHECKING:
    from collections.abc import Sequence

GAP = "  "
NARROWEST = 10


def table(rows: Sequence[Sequence[str]]) -> list[str]:
    """Format rows as lines. Each column is as wide as its widest cell; lines are cut only for a terminal."""
    cells = [[one_line(cell) for cell in row] for row in rows]
    widths = [max(map(width, column)) for column in zip(*cells, strict=True)]
    lines = [
        GAP.join(_padded(cell, columns) for cell, columns in zip(row, widths, strict=True)).rstrip() for row in cells
    ]
    if not sys.stdout.isatty():
        return lines
    last = sum(widths[:-1]) + len(GAP) * (len(widths) - 1)
    room = max(shutil.get_terminal_size().columns - 1, last + NARROWEST)
    return [_cut(line, room) for line in lines]


def _padded(cell: str, columns: int) -> str:
    return cell + " " * (columns - width(cell))


def _cut(line: str, room: int) -> str:
    if width(line) <= room:
        return line
    while width(line) >= room:
        line = line[:-1]
    return line + "…"
