"""The bars that this client should reach, and whether the figures of a run reach them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import frozen

if TYPE_CHECKING:
    from collections.abc import Mapping

    from benchmarks.figures import Figure


@frozen
class Bar:
    """A figure to report, and its upper limit.

    Attributes:
        name: The figure's name.
        text: Its description.
        most: Its upper limit; None if it only helps to judge the others.
        stretch: A stricter limit that would be even better.
        unit: Its unit; empty for a ratio.
    """

    name: str
    text: str
    most: float | None = None
    stretch: float | None = None
    unit: str = ""

    def row(self, figures: Mapping[str, Figure]) -> tuple[str, ...]:
        """Return the cells of its row."""
        figure = figures.get(self.name)
        limits = ("" if limit is None else f"{limit:g}" for limit in (self.most, self.stretch))
        return (
            f"{self.text}{self.unit and f', {self.unit}'}",
            "" if figure is None else str(figure),
            *limits,
            self.grade(figure),
        )

    def grade(self, figure: Figure | None) -> str:
        if figure is None:
            return "not measured"
        if self.most is None:
            return ""
        if figure.value > self.most:
            return "NOT REACHED"
        return "reached" if self.stretch is None or figure.value > self.stretch else "surpassed"


HTTPX, SDK = "to bare httpx", "to the official client"
BARS = (
    Bar("submit", f"CPU of a submission, {HTTPX}", 0.97, 0.88),
    Bar("submit, TLS", f"the same over TLS, {HTTPX}", 0.97, 0.90),
    Bar("submit to official", f"CPU of a submission, {SDK}", 0.45, 0.24),
    Bar("bare httpx to official", f"bare httpx, {SDK}"),
    Bar("submit to official, TLS", f"CPU of a submission over TLS, {SDK}", 0.20, 0.16),
    Bar("bare httpx to official, TLS", f"bare httpx over TLS, {SDK}"),
    Bar("async submit", "CPU of an async submission, to httpx without sniffio", 0.75, 0.62),
    Bar("async submit, with sniffio", "the same, to httpx with sniffio"),
    Bar("async submit, aiohttp", "the same on aiohttp, to httpx without sniffio", 0.42, 0.33),
    Bar("aiohttp to default", "the same on aiohttp, to our default"),
    Bar("1000 under way", f"CPU of 1,000 submissions at once, {HTTPX}", 0.05),
    Bar("1000 under way, aiohttp", f"the same on aiohttp, {HTTPX}", 0.2),
    Bar("import package", "CPU of `import wavespeed_client`, to `import httpx`", 0.05),
    Bar("import client", "CPU of importing `WaveSpeed`, to `import httpx`", 1.40, 1.30),
    Bar("models loaded", "generated models that this loads, share", 0.5),
    Bar("help", "CPU of `wavespeed-client --help`, to a bare click program", 1.5),
    Bar("10000 in flight", "CPU a request with 10,000 tasks in flight, to 100", 1.0),
    Bar("memory of a task", "memory of a task, 10,000 in flight", 10, unit="KB"),
    Bar("input of a batch", "CPU an input of a batch, to two bare aiohttp requests", 3.3, 2.5),
    Bar("growth of a batch", "memory that grows from 10,000 to 100,000 inputs", 10, unit="MB"),
    Bar("memory of a batch", "memory after 100,000 inputs", unit="MB"),
    Bar("inputs a second", "inputs of a batch a second"),
    Bar("wall of a database", "time of a batch in PostgreSQL, to one in a file", 1.10),
    Bar("cpu of a database", "CPU of a batch in PostgreSQL, to one in a file", 1.25),
    Bar("claims one by one", "claims a second one by one, to grouped ones", 0.2),
    Bar("finished inputs", "requests for 100,000 finished inputs", 0),
    Bar("polls", f"polls a task of a known model, {SDK}", 1),
    Bar("lateness", f"how late its end is known, {SDK}", 1),
    Bar("new connections", "new connections a video task of a known model", 0.15, 0.02),
    Bar("regeneration", "generating the client from the spec", 3, unit="s"),
)


def table(figures: Mapping[str, Figure]) -> str:
    """Return a Markdown table of all bars."""
    rows = [("what", "median (of nine in ten)", "at most", "better", "verdict"), *(bar.row(figures) for bar in BARS)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [" | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in rows]
    lines.insert(1, " | ".join("-" * width for width in widths))
    return "\n".join(f"| {line} |" for line in lines)
