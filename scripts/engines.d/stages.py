"""Stages for the workers of an engine: they record which process works, and one of them has no journal."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from attrs import evolve, field, frozen

from wavespeed_client.distributed import Generate

if TYPE_CHECKING:
    from collections.abc import Sequence

    from wavespeed_client.batch.options import Options
    from wavespeed_client.distributed.rows import Look
    from wavespeed_client.settings import Settings

MODEL = "wavespeed-ai/flux-dev"
# Seconds after which a submission of a killed worker counts as lost. For users these are minutes.
UNCERTAIN_AFTER = 4.0
IN_FLIGHT = 25


@frozen(eq=False)
class Watched(Generate):
    """A stage that records which process runs it, so that this process can be killed.

    Attributes:
        pids: The folder for these records.
        guarded: Whether it has its journal. Without one it is the control.
    """

    pids: str = field(kw_only=True)
    guarded: bool = field(kw_only=True)

    def _found(self, looks: Sequence[Look]) -> list[dict[str, Any]]:
        working = Path(self.pids) / str(os.getpid())
        working.touch()
        try:
            return super()._found(looks)
        finally:
            working.unlink()

    def _options(self, settings: Settings, inputs: Sequence[dict[str, Any]], names: Sequence[str]) -> Options:
        options = super()._options(settings, inputs, names)
        if not self.guarded:
            return evolve(options, journal=None, batch=None, names=None)
        return evolve(options, uncertain_after=UNCERTAIN_AFTER)


def stage(batch: str, pids: str, *, guarded: bool) -> Watched:
    """Return the stage of a run."""
    return Watched(
        MODEL,
        fields=["prompt"],
        key="id",
        journal="env:WAVESPEED_JOURNAL",
        batch=batch,
        max_in_flight=IN_FLIGHT,
        pids=pids,
        guarded=guarded,
    )


def rows_of(count: int) -> list[dict[str, Any]]:
    """Return this many rows."""
    return [{"id": number, "prompt": f"A cat, take {number}"} for number in range(count)]
