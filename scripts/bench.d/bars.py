"""What this client is to reach, and whether the figures of a run reach it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import frozen

if TYPE_CHECKING:
    from collections.abc import Mapping


@frozen
class Bar:
    """One promise: a finding, and the most that it may be; `beside` names findings that help to judge it."""

    finding: str
    most: float
    text: str
    unit: str = "x"
    beside: tuple[str, ...] = ()

    def verdict(self, findings: Mapping[str, float]) -> str:
        """One line: reached or not, and by how much."""
        found = findings.get(self.finding)
        if found is None:
            return f"not measured  {self.text}"
        reached = "reached    " if found <= self.most else "NOT REACHED"
        others = "".join(f"; {name}: {findings[name]:.3g}{self.unit}" for name in self.beside if name in findings)
        return f"{reached}   {self.text}: {found:.3g}{self.unit} (at most {self.most:g}{self.unit}){others}"


BARS = (
    Bar("submit", 1.25, "a submission's CPU to bare httpx, default transport"),
    Bar("submit", 1.15, "the same, the stretch"),
    Bar(
        "submit to official",
        1 / 2.5,
        "a submission's CPU to the official client's",
        beside=("bare httpx to official", "fast to official"),
    ),
    Bar("submit to official, TLS", 1 / 4, "the same over TLS"),
    Bar("submit, fast", 0.9, "a submission's CPU to bare httpx, fast transport"),
    Bar("import package", 0.05, "`import wavespeed_client` to `import httpx`, CPU of the import alone"),
    Bar("import client", 1.6, "`from wavespeed_client import WaveSpeed` to `import httpx`, likewise"),
    Bar("models loaded", 0.5, "the share of the generated models that this import loads"),
    Bar("1000 under way, fast", 0.2, "a submission's CPU to bare httpx.AsyncClient, 1,000 under way, fast transport"),
    Bar("1000 under way, fast, errors", 0, "errors in that", " errors"),
    Bar("10000 in flight", 1.5, "CPU a request with 10,000 tasks in flight to that with 100, fast transport"),
    Bar("memory of a task", 25, "memory of a task, 10,000 in flight, fast transport", " KB"),
    Bar("growth of a batch", 10, "memory that grows from a tenth of 100,000 inputs to the end of the batch", " MB"),
    Bar("errors of a batch", 0, "errors in that", " errors"),
    Bar("questions", 1, "questions a task to the official client's, the worst of the judged populations"),
    Bar("lateness", 1, "mean lateness to the official client's, the worst of the judged populations"),
    Bar("regeneration", 3, "regenerating", " s"),
)
