"""What a measurement found, as text: Markdown tables and one line for each bar."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import field, frozen

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


@frozen
class Section:
    """One table, and the figures in it that bars are judged by."""

    title: str
    note: str
    header: Sequence[str]
    rows: Sequence[Sequence[str]]
    findings: Mapping[str, float] = field(factory=dict[str, float])

    def __str__(self) -> str:
        return f"## {self.title}\n\n{self.note}\n\n{table(self.header, self.rows)}\n"


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table whose columns are aligned: the first to the left, the others to the right."""
    widths = [max(map(len, column)) for column in zip(header, *rows, strict=True)]
    rule = ["-" * widths[0], *("-" * (width - 1) + ":" for width in widths[1:])]
    return "\n".join(_line(cells, widths) for cells in (header, rule, *rows))


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    first, *others = (
        cell.rjust(width) if number else cell.ljust(width)
        for number, (cell, width) in enumerate(zip(cells, widths, strict=True))
    )
    return f"| {' | '.join([first, *others])} |"
