"""The common part of the sync and the async journal in PostgreSQL.

Several runs on several machines may write at the same time. If another run is submitting an input, the entry has the
time of the next look. The database's clock measures ages. A submission that is too old to get a response is uncertain:
it is never sent again unless a person decides to pay again.
"""

from __future__ import annotations

import itertools
import logging
import os
import socket
import uuid
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from attrs import define, evolve, field

from ...clock import Clock, Deadline, WakingClock
from ...errors import ConfigurationError, InvalidInputError
from ...waiting.wait import LONGEST_SILENCE
from . import statements
from .entries import SOONEST_LOOK, entry_of, key_of
from .keys import Numbered, Shared
from .requests import Record, Try, carry_out

if TYPE_CHECKING:
    from collections.abc import Container, Iterator, Sequence
    from typing import Self

    from ..journal import Entry, Item, Note
    from ..options import Options
    from .address import Address
    from .keys import Keys
    from .requests import Claim, Request
    from .statements import Connection, Row

logger = logging.getLogger("wavespeed_client")

# Least seconds to wait for a database, even if the timeout for tasks is shorter.
LEAST_PATIENCE = 10.0


@define(eq=False)
class Ledger:
    """The common part of the sync and the async journal.

    Attributes:
        address: The database's address.
        name: The batch's name.
        base_url: The base URL of the API.
        model: The model's id.
        keys: Makes the keys of inputs.
        uncertain_after: Seconds after which a submission without a response counts as uncertain.
        seconds: Seconds to wait for the database.
        clock: A clock that does not stop while the machine is suspended.
    """

    address: Address
    name: str
    base_url: str
    model: str
    keys: Keys
    uncertain_after: float
    seconds: float
    clock: Clock = field(factory=WakingClock)
    _owner: str = field(init=False, factory=lambda: f"{socket.gethostname()}:{os.getpid()}:{uuid.uuid4().hex[:8]}")
    _tries: Iterator[int] = field(init=False, factory=itertools.count)
    _lost: list[str] = field(init=False, factory=list[str])
    _batch: int | None = field(init=False, default=None)

    @classmethod
    def of(cls, options: Options, address: Address) -> Self:
        """Make the journal of a batch."""
        return cls(
            address,
            options.batch or "",
            options.base_url,
            options.model,
            Numbered() if options.names is None else Shared(),
            options.uncertain_after,
            LONGEST_SILENCE if options.timeout is None else max(options.timeout, LEAST_PATIENCE),
        )

    # Called by the writer, in its thread

    def connect(self) -> Connection:
        """Return a connection that is ready for use."""
        connection = self.address.connect()
        try:
            statements.create(connection)
            batch = statements.register(connection, self.name, self.base_url)
            if self._batch not in (None, batch):
                raise InvalidInputError(
                    f"The database lost the batch {self.name!r} while it ran: it was restored or replaced."
                )
            if self.keys.alone:
                statements.lock(connection, batch)
        except BaseException:
            connection.close()
            raise
        self._batch = batch
        return connection

    def carry_out(self, connection: Connection, requests: Sequence[Request], again: bool) -> Sequence[object]:
        """Carry out requests of one kind together. Return the response to each.

        Args:
            connection: The connection.
            requests: The requests.
            again: Whether an earlier try lost its connection, so that its result is unknown.
        """
        lost = self._lost if again else []
        owner = f"{self._owner}:{next(self._tries)}"
        self._lost = [*lost, owner]
        return carry_out(Try(connection, self._batch or 0, owner, lost, self.clock), requests)

    # Called by the writer, in any thread

    def shown(self, text: str) -> str:
        """Return a text without the password."""
        return self.address.hide(text)

    def failure(self, why: str) -> ConfigurationError:
        """Return the error for the reason why nothing can be written."""
        return ConfigurationError(
            f"The journal of the batch {self.name!r} at {self.address.shown} cannot be used ({why}), so nothing more "
            "is sent. It may lack tasks that were submitted: tasks() lists them."
        )

    def unwritten(self, requests: Sequence[Request]) -> None:
        """Log the tasks in requests that could not be carried out."""
        records = [request for request in requests if isinstance(request, Record)]
        ids = [result.task_id for record in records for result in record.results.values() if result.task_id]
        if ids:
            logger.warning("The journal of the batch %r lacks these tasks: %s", self.name, " ".join(ids))

    # Called by the two journals

    def _met(self, item: Item, key: bytes, row: Row) -> Entry:
        """Return the entry of an input. If only one run may use the batch, a claimed input is probably a dead run's."""
        entry = self._entry(key, row)
        if entry.adopts or not self.keys.alone or item.seen is not None:
            return entry
        return evolve(entry, adopts=True)

    def _entry(self, key: bytes, row: Row) -> Entry:
        return entry_of(key, row, self.model, self.uncertain_after, datetime.now(UTC))

    def _reserved(self, entry: Entry, claim: Claim, row: Row | None) -> Entry:
        """Return the entry of a claimed input; of one that could not be claimed, with the time of the next look."""
        if row is not None:
            found = self._entry(claim.key, row)
            return evolve(found, look_again=found.look_again or SOONEST_LOOK)
        deadline = Deadline(self.clock, claim.at + self.uncertain_after / 2)
        return evolve(entry, event="submitting", attempt=claim.attempt, look_again=None, leaves_by=deadline)

    def _check_written(self, notes: Sequence[Note], written: Container[bytes]) -> None:
        for note in notes:
            if note.event == "submitted" and key_of(note.entry) not in written:
                logger.warning(
                    "Task %s is not in the journal of the batch %r: its input was submitted again meanwhile, or "
                    "another input has this task. Wait for the task by its id.",
                    note.task and note.task["id"],
                    self.name,
                )
