"""A job: one input of a batch on its way to its outcome."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from attrs import define

if TYPE_CHECKING:
    from ..clock import Deadline
    from ..errors import WaveSpeedError
    from ..waiting.wait import Wait


@define(eq=False)
class Job:
    """One input on its way to its outcome.

    Attributes:
        index: The input's place among the inputs.
        input: The input as it is sent.
        number: Its number in the journal.
        gives_up: When it stops trying to be submitted; set by the first try.
        until: When its wait ends, counted from the submission that is under way or was taken.
        failures: How often it could not be sent.
        error: Why it was refused last.
        sent: Whether its submission has left and no answer has come.
        wait: The wait for its task; None until there is one.
    """

    index: int
    input: dict[str, Any]
    number: int = 0
    gives_up: Deadline | None = None
    until: Deadline | None = None
    failures: int = 0
    error: WaveSpeedError | None = None
    sent: bool = False
    wait: Wait | None = None

    def __lt__(self, other: Job) -> bool:
        return self.index < other.index
