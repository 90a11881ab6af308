"""What a run cost, and whether that keeps the promise. Pure functions."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from attrs import field, frozen

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


@frozen
class Run:
    """A finished run.

    Attributes:
        title: Its name.
        guarded: Whether it had a journal.
        inputs: Its prompts.
        submitted: The prompts that the service accepted, repeated if it accepted them several times.
        rows: The rows that it returned.
        kills: The number of workers that were killed.
        kills_wanted: The number that should have been killed.
        files: The names of the files that it saved; None if it does not save files.
        seconds: Its duration.
    """

    title: str
    guarded: bool
    inputs: Sequence[str]
    submitted: Sequence[str]
    rows: Sequence[Mapping[str, Any]]
    kills: int = 0
    kills_wanted: int = 0
    files: Sequence[str] | None = None
    seconds: float = field(default=0.0, eq=False)

    @property
    def doubled(self) -> int:
        """The number of submissions that were not the first of their input."""
        return len(self.submitted) - len(set(self.submitted))

    @property
    def unsent(self) -> set[str]:
        """The inputs that were never submitted."""
        return set(self.inputs) - set(self.submitted)

    @property
    def uncertain(self) -> set[str]:
        """The inputs that the rows report as uncertain."""
        return {row["prompt"] for row in self.rows if row["uncertain"]}

    def line(self) -> str:
        """Return the run in one line."""
        journal = "journal" if self.guarded else "no journal"
        saved = "" if self.files is None else f", {len(self.files)} files saved"
        return (
            f"{self.title}, {journal}: {len(self.inputs)} inputs, {self.kills} workers killed, "
            f"{len(self.submitted)} submissions, {self.doubled} doubled, {len(self.unsent)} not sent, "
            f"{len(self.uncertain)} uncertain{saved}, {self.seconds:.0f} s"
        )

    def faults(self) -> list[str]:
        """Return the broken promises. The control must have doubled submissions, as proof that doubling is noticed."""
        if not self.guarded:
            return [] if self.doubled else ["nothing was doubled without the journal, so this run shows nothing"]
        found = [f"{self.doubled} submissions were doubled"] if self.doubled else []
        if self.kills < self.kills_wanted:
            found.append(f"only {self.kills} of {self.kills_wanted} workers were killed")
        if Counter(row["prompt"] for row in self.rows) != Counter(self.inputs):
            found.append("the rows are not those that were given")
        if silent := self.unsent - self.uncertain:
            found.append(f"{len(silent)} inputs were not sent, and are not reported as uncertain")
        return found + self._faults_of_rows()

    def _faults_of_rows(self) -> list[str]:
        certain = [row for row in self.rows if not row["uncertain"]]
        found: list[str] = []
        if others := [row for row in certain if row["status"] != "completed"]:
            found.append(f"{len(others)} rows are neither completed nor uncertain: {others[0].get('error')}")
        tasks = [row["task_id"] for row in certain]
        if len(set(tasks)) < len(tasks):
            found.append("two rows have one task")
        if self.files is not None and sorted(self.files) != sorted(f"{task}-1.jpeg" for task in tasks):
            found.append("the files are not those of the tasks")
        return found
