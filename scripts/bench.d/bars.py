"""What this client is to reach, and whether the figures of a run reach it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import frozen

if TYPE_CHECKING:
    from collections.abc import Mapping


@frozen
class Bar:
    """One promise: a finding, and the most that it may be.

    Args:
        finding: Its name.
        most: The most that it may be.
        text: What it is, in words.
        unit: What it is counted in.
        stretch: What would be better still.
        beside: Names of findings that help to judge it.
    """

    finding: str
    most: float
    text: str
    unit: str = "x"
    stretch: float | None = None
    beside: tuple[str, ...] = ()

    def verdict(self, findings: Mapping[str, float]) -> str:
        """One line: reached or not, and by how much."""
        found = findings.get(self.finding)
        if found is None:
            return f"not measured  {self.text}"
        others = "".join(f"; {name}: {findings[name]:.3g}{self.unit}" for name in self.beside if name in findings)
        better = "" if self.stretch is None else f", better {self.stretch:g}{self.unit}"
        limits = f"(at most {self.most:g}{self.unit}{better})"
        return f"{self._grade(found):<13} {self.text}: {found:.3g}{self.unit} {limits}{others}"

    def _grade(self, found: float) -> str:
        if found > self.most:
            return "NOT REACHED"
        return "reached" if self.stretch is None or found > self.stretch else "surpassed"


BARS = (
    Bar("submit", 0.97, "a submission's CPU to bare httpx", stretch=0.88),
    Bar("submit, TLS", 0.97, "the same over TLS", stretch=0.90),
    Bar(
        "submit to official",
        0.45,
        "a submission's CPU to the official client's",
        stretch=0.24,
        beside=("bare httpx to official",),
    ),
    Bar("submit to official, TLS", 0.20, "the same over TLS", stretch=0.16),
    Bar(
        "async submit",
        0.75,
        "an async submission's CPU to httpx.AsyncClient without sniffio, 1 under way",
        stretch=0.62,
        beside=("to httpx with sniffio",),
    ),
    Bar(
        "async submit, aiohttp",
        0.42,
        "the same, aiohttp engine",
        stretch=0.33,
        beside=("aiohttp, to httpx with sniffio",),
    ),
    Bar("1000 under way, ours", 0.05, "a submission's CPU to bare httpx.AsyncClient, 1,000 under way"),
    Bar("1000 under way, ours, errors", 0, "errors in that", " errors"),
    Bar("1000 under way, ours, aiohttp", 0.2, "the same, aiohttp engine"),
    Bar("1000 under way, ours, aiohttp, errors", 0, "errors in that", " errors"),
    Bar("import package", 0.05, "`import wavespeed_client` to `import httpx`, CPU of the import alone"),
    Bar("import client", 1.40, "`from wavespeed_client import WaveSpeed` to `import httpx`, likewise", stretch=1.30),
    Bar("models loaded", 0.5, "the share of the generated models that this import loads"),
    Bar("help", 1.5, "CPU of `wavespeed-client --help` to that of a bare click program with as many commands"),
    Bar("10000 in flight", 1.0, "CPU a request with 10,000 tasks in flight to that with 100, aiohttp engine"),
    Bar("memory of a task", 10, "memory of a task, 10,000 in flight, aiohttp engine", " KB"),
    Bar("input of a batch", 3.3, "CPU an input of a batch with a journal to two bare aiohttp requests", stretch=2.5),
    Bar("wall of a database", 1.10, "time of a batch with a journal in PostgreSQL to one in a file"),
    Bar("cpu of a database", 1.25, "CPU of that"),
    Bar("claims one by one", 0.2, "claims a second one by one to grouped ones, on the same disk"),
    Bar("requests of what has finished", 0, "requests for 100,000 inputs that have finished", " requests"),
    Bar("growth of a batch", 10, "memory that grows from a tenth of 100,000 inputs to the end of the batch", " MB"),
    Bar("errors of a batch", 0, "errors in that", " errors"),
    Bar("questions", 1, "questions a task to the official client's, the worst of the judged populations"),
    Bar("lateness", 1, "mean lateness to the official client's, the worst of the judged populations"),
    Bar(
        "new connections",
        0.15,
        "new connections a task of a known model, video",
        " connections",
        stretch=0.02,
        beside=("idle for 5 s at most",),
    ),
    Bar("regeneration", 3, "regenerating", " s"),
)
