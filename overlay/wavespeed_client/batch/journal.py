"""The interface of a journal. It records what was submitted, so that a new run can continue a killed one.

A journal has the last event of each input. That event decides what the next run does with an equal input for the same
model: `text_journal`, the journal in a file, lists the events and what each of them means.

`submitting` is recorded before the request is sent, `submitted` when its response has come.
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

# Of several equal inputs, the first to be matched are those that have an outcome.
EVENTS = ("finished", "failed", "submitted", "uncertain", "submitting", "refused", "planned")
# Events of tasks that were, will be or may be billed.
BILLED = frozenset({"finished", "submitted", "uncertain", "submitting"})


@frozen
class Item:
    """An input to be looked up in a journal.

    Attributes:
        digest: A digest that only equal inputs for the same model share.
        model: The model's id.
        json: The input's JSON.
        seen: The entry that an earlier look returned; None at first.
        found: Tasks that an uncertain submission of this input may have started.
    """

    digest: bytes
    model: str
    json: bytes
    seen: Entry | None = None
    found: tuple[Task, ...] = ()


@frozen
class Entry:
    """A journal's entry for an input.

    Attributes:
        key: The journal's key for the input.
        event: The last event.
        at: The time of the event; for an uncertain submission, the time when it was sent.
        task: The task, if there is one.
        task_id: The task that an uncertain submission probably started.
        cost: The price quoted for the last submission, in USD; None if no price was requested.
        attempt: The number of the last submission, where several runs may write.
        look_again: Seconds after which to look again, because another run may be submitting the input. None if the
            event is final for now.
        adopts: Whether an uncertain submission may adopt a task that is found for it.
        leaves_by: The latest time to send the submission; None for no limit.
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
    """An event to be recorded for an input.

    Attributes:
        entry: The input's entry.
        event: The event.
        task: The task, as the service sent it.
        error: Why the input was refused or is uncertain.
        submitted_at: When an uncertain submission was sent.
        task_id: The task that an uncertain submission probably started.
    """

    entry: Entry
    event: str
    task: dict[str, Any] | None = None
    error: str | None = None
    submitted_at: datetime | None = None
    task_id: str | None = None


class Journal(Protocol):
    """A journal. When a call returns, its data is safely stored.

    For `WaveSpeed`, the methods block, and several threads may call them at once. For `AsyncWaveSpeed`, they may return
    awaitables instead.

    If the journal cannot be used any more, every method except `prepare` and `close` raises ConfigurationError. The
    batch then sends nothing more.
    """

    def prepare(self) -> Awaitable[None] | None:
        """Open the journal for this run.

        Raises:
            InvalidInputError: It cannot be used, or not by this run.
        """
        ...

    def look(self, item: Item) -> Awaitable[Entry] | Entry:
        """Return the entry of an input, and record the input if it is new. Each entry is returned once in a run."""
        ...

    def reserve(self, entry: Entry) -> Awaitable[Entry] | Entry:
        """Record that an input is about to be submitted, and its price. Return the new entry.

        If the new entry has `look_again`, the input was not reserved and must not be sent.
        """
        ...

    def write(self, notes: Sequence[Note]) -> Awaitable[None] | None:
        """Record events, in this order."""
        ...

    def spent(self) -> Awaitable[Sequence[float]] | Sequence[float]:
        """Return the price quoted for each task of earlier runs that may be billed, in USD."""
        ...

    def uploads(self, digests: Sequence[str]) -> Awaitable[Sequence[Upload]] | Sequence[Upload]:
        """Return the known uploads of these contents, by this run or an earlier one."""
        ...

    def uploaded(self, uploads: Sequence[Upload]) -> Awaitable[None] | None:
        """Record uploads that are not recorded yet."""
        ...

    def close(self) -> Awaitable[None] | None:
        """Close the journal. Closing twice does nothing."""
        ...

    def own_threads(self) -> Sequence[int]:
        """Return the ids of the journal's threads. Other threads wait for these."""
        ...


def digest_of(model: str, input: dict[str, Any], *name: str) -> bytes:
    """Return 32 bytes that only equal inputs with the same model and name share.

    A file counts by the digest of its content; its name does not matter.
    """
    plain = json.dumps([model, input, *name], sort_keys=True)
    if FILE in plain:
        plain = json.dumps([model, unnamed(input), *name], sort_keys=True)
    return hashlib.sha256(plain.encode()).digest()
