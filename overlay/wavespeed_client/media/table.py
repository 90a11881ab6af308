"""Tables of text for a terminal. Wide characters take two columns."""

from __future__ import annotations

import unicodedata
from itertools import zip_longest
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

COLUMNS = 100
GAP = "  "
# Longer cells are cut.
MOST_LINES = 12


def table(rows: Sequence[Sequence[str]], columns: int = COLUMNS) -> str:
    """Format rows of cells as lines. The last column takes the width that is left; each other takes at most a quarter.

    Args:
        rows: The cells, equally many in each row, without control characters.
        columns: The width of the table.
    """
    *others, _ = zip(*rows, strict=True)
    widths = [min(max(map(width, cells)), columns // 4) for cells in others]
    widths.append(columns - sum(widths) - len(GAP) * len(widths))
    return "\n".join(line for row in rows for line in _lines(row, widths))


def wrapped(text: str, columns: int) -> list[str]:
    """Break text into lines of at most this width, between words where possible."""
    lines = [""]
    for word in text.split():
        for piece in _pieces(word, columns):
            longer = f"{lines[-1]} {piece}" if lines[-1] else piece
            if width(longer) <= columns:
                lines[-1] = longer
            else:
                lines.append(piece)
    return lines if len(lines) <= MOST_LINES else [*lines[: MOST_LINES - 1], "\u2026"]


def width(text: str) -> int:
    """Return how many terminal columns the text takes."""
    return sum(map(_columns_of, text))


def _columns_of(character: str) -> int:
    if unicodedata.category(character) in ("Mn", "Me"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in ("W", "F") else 1


def _pieces(word: str, columns: int) -> Iterator[str]:
    """Split a word that is wider than a line."""
    piece = ""
    for character in word:
        if piece and width(piece) + _columns_of(character) > columns:
            yield piece
            piece = ""
        piece += character
    yield piece


def _lines(row: Sequence[str], widths: Sequence[int]) -> Iterator[str]:
    cells = [wrapped(cell, room) for cell, room in zip(row, widths, strict=True)]
    for parts in zip_longest(*cells, fillvalue=""):
        padded = (part + " " * (room - width(part)) for part, room in zip(parts, widths, strict=True))
        yield GAP.join(padded).rstrip()
