"""What a batch asks of its journal, which remembers what was submitted, so that a killed run can go on.

A journal tells what happened last to each input. That decides what the next run makes of an equal input for the same
model:

    planned      nothing was sent: it is submitted
    submitting   the request was about to leave and no response came: it is uncertain, and not sent again
    submitted    its task is waited for by its id
    refused      nothing was started: it is submitted
    uncertain    the response was lost: it is reported as such, and not sent again
    finished     its task, outputs included, is handed out from here, without a request
    failed       so is its failed task

`submitting` is written down before the request leaves, `submitted` when its response has come. `text_journal` keeps
this in a file.
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any, Protocol

from attrs import frozen

from ..files.inputs import FILE, unnamed

if TYPE_CHECKING:
    from collections.abc import Awaitable, Sequence
    from datetime import datetime

    from ..clock import Deadline
    from ..files.register import Upload
    from ..task import Task

# In the order in which equal inputs are served: what has its outcome first.
EVENTS = ("finished", "failed", "submitted", "uncertain", "submitting", "refused", "planned")
# Those whose tasks were, will be or may be billed.
BILLED = frozenset({"finished", "submitted", "uncertain", "submitting"})


@frozen
class Item:
    """An input as a journal looks it up.

    Attributes:
        digest: What equal inputs for the same model have in common, and no others.
        model: The model's id.
        json: The input's JSON.
        seen: The entry that was given out for it before; None at first.
        found: Tasks that an uncertain submission of it may have started.
    """

    digest: bytes
    model: str
    json: bytes
    seen: Entry | None = None
    found: tuple[Task, ...] = ()


@frozen
class Entry:
    """What a journal has of an input.

    Attributes:
        key: What the journal knows it by.
        event: What happened to it last.
        at: When; for an uncertain one, when it was submitted.
        task: The task that it tells of.
        task_id: The task that an uncertain submission probably started.
        cost: What was quoted for its last submission, in USD; None if no price was asked for.
        attempt: Counts its submissions, where several runs may write.
        look_again: Seconds after which the journal is to be asked again, because another run may be submitting it.
            None if the event is to be relied on.
        adopts: Whether a submission without a response takes a task that is found for it.
        leaves_by: When its submission must have left, or is not sent; None for any time.
    """

    key: int | bytes
    event: str
    at: datetime
    task: Task | None = None
    task_id: str | None = None
    cost: float | None = None
    attempt: int = 0
    look_again: float | None = None
    adopts: bool = False
    leaves_by: Deadline | None = None


@frozen
class Note:
    """What is to be written down of an input.

    Attributes:
        entry: The input's entry.
        event: What happened to it.
        task: Its task, as it came.
        error: Why it was refused or is uncertain.
        submitted_at: When an uncertain one was submitted.
        task_id: The task that it probably started.
    """

    entry: Entry
    event: str
    task: dict[str, Any] | None = None
    error: str | None = None
    submitted_at: datetime | None = None
    task_id: str | None = None


class Journal(Protocol):
    """A journal. Several threads may call it at once, and what it was told is safe when a call returns.

    Each method but the first and the last raises ConfigurationError when it cannot do its work, now or later on:
    nothing more is sent then.
    """

    def prepare(self) -> None:
        """Open it for this run.

        Raises:
            InvalidInputError: It cannot be used, or not by this run.
        """
        ...

    def look(self, item: Item) -> Entry:
        """Tell what it has of an input, which is written down if it is new. An entry is given out once in a run."""
        ...

    def reserve(self, entry: Entry) -> Entry:
        """Write down that an input is about to be submitted, at which cost, and return what holds then.

        What comes back with `look_again` was not reserved, and must not be sent.
        """
        ...

    def write(self, notes: Sequence[Note]) -> None:
        """Write down what happened, in this order."""
        ...

    def spent(self) -> Sequence[float]:
        """Tell what was quoted for each task of earlier runs that may be billed, in USD."""
        ...

    def uploads(self, digests: Sequence[str]) -> Sequence[Upload]:
        """Tell which of these contents were uploaded, by this run or an earlier one, as far as it remembers."""
        ...

    def uploaded(self, uploads: Sequence[Upload]) -> None:
        """Write down what was uploaded, unless it is written down already."""
        ...

    def close(self) -> None:
        """Give up what was opened. Closing twice does nothing."""
        ...

    def own_threads(self) -> Sequence[int]:
        """Return the threads that it runs, by their numbers. Other threads wait for what these do."""
        ...


class AsyncJournal(Protocol):
    """Async Journal. What a method returns is awaited if that can be awaited, so any `Journal` is one, too."""

    def prepare(self) -> Awaitable[None] | None: ...
    def look(self, item: Item) -> Awaitable[Entry] | Entry: ...
    def reserve(self, entry: Entry) -> Awaitable[Entry] | Entry: ...
    def write(self, notes: Sequence[Note]) -> Awaitable[None] | None: ...
    def spent(self) -> Awaitable[Sequence[float]] | Sequence[float]: ...
    def uploads(self, digests: Sequence[str]) -> Awaitable[Sequence[Upload]] | Sequence[Upload]: ...
    def uploaded(self, uploads: Sequence[Upload]) -> Awaitable[None] | None: ...
    def close(self) -> Awaitable[None] | None: ...


def digest_of(model: str, input: dict[str, Any], *name: str) -> bytes:
    """Return 32 bytes that are the same for equal inputs of the same model and name, and for no others.

    A file in an input stands there by the digest of its content; the file's name is of no matter.
    """
    told = json.dumps([model, input, *name], sort_keys=True)
    if FILE in told:
        told = json.dumps([model, unnamed(input), *name], sort_keys=True)
    return hashlib.sha256(told.encode()).digest()
