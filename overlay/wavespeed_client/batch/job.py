"""A job: one input of a batch on its way to its outcome."""

from __future__ import annotations

from contextvars import Context, copy_context
from enum import Enum, auto
from typing import TYPE_CHECKING, Any

from attrs import define, field

if TYPE_CHECKING:
    from ..clock import Deadline
    from ..errors import WaveSpeedError
    from ..waiting.wait import Wait
    from .journal import Entry, Item
    from .outcome import Outcome


class Stage(Enum):
    """What the next step of a job is."""

    LOOK = auto()
    SUBMIT = auto()
    POLL = auto()


@define(eq=False)
class Job:
    """One input on its way to its outcome.

    Attributes:
        index: The input's place among the inputs.
        input: The input as it is sent.
        body: Its JSON.
        context: The context variables of whoever pulled it, in which its steps are carried out.
        stage: What its next step is, or the one that is under way.
        item: The input as the journal is asked for it; None without a journal.
        entry: What the journal has of it; None until it was asked.
        reserved: Whether the journal was told of its submission, and not yet what came of it.
        gives_up: When it stops trying to be submitted; set by the first try.
        until: When its wait ends, counted from the submission that is under way or was taken.
        failures: How often it could not be sent.
        error: Why it was refused last.
        requested: Whether a request was made for it.
        sent: Whether its submission has left and no response has come.
        wait: The wait for its task; None until there is one.
        outcome: What became of it; None until it has ended.
    """

    index: int
    input: Any
    body: bytes = b""
    context: Context = field(factory=copy_context)
    stage: Stage = Stage.SUBMIT
    item: Item | None = None
    entry: Entry | None = None
    reserved: bool = False
    gives_up: Deadline | None = None
    until: Deadline | None = None
    failures: int = 0
    error: WaveSpeedError | None = None
    requested: bool = False
    sent: bool = False
    wait: Wait | None = None
    outcome: Outcome | None = None

    def __lt__(self, other: Job) -> bool:
        return self.index < other.index
