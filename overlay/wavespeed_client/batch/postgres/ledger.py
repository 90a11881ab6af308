"""What the two journals in PostgreSQL have in common: requests for the writer, and what the responses say.

Several runs on several machines may write at the same time. Where the database tells that another is submitting an
input, its entry says when to look again. Ages are told by the database's clock. An input that has been under way for so
long that no response can come any more is uncertain; it is never submitted again unless somebody asks for that.
"""

from __future__ import annotations

import itertools
import logging
import os
import socket
import uuid
from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from attrs import define, evolve, field

from ...clock import Clock, Deadline, WakingClock
from ...errors import ConfigurationError, InvalidInputError, WaveSpeedError
from ...waiting.wait import LONGEST_SILENCE
from . import statements
from .entries import SOONEST_LOOK, entry_of, key_of, told_of
from .keys import Numbered, Shared
from .requests import Tell, Try, carry_out
from .statements import Told
from .writer import Writer

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from concurrent.futures import Future
    from typing import Self

    from ..journal import Entry, Item, Note
    from ..options import Options
    from .address import Address
    from .keys import Keys
    from .requests import Claim, Claimed, Request
    from .statements import Connection, Row

logger = logging.getLogger("wavespeed_client")

# Seconds for which a database is waited for where tasks are not.
LEAST_PATIENCE = 10.0


@define(eq=False)
class Ledger:
    """What a journal that blocks and one that is awaited have in common.

    Attributes:
        address: Where the database is.
        name: The batch's name.
        base_url: The API that its tasks are at.
        model: The model of its inputs.
        keys: What tells its inputs apart.
        uncertain_after: Seconds after which a submission has its response, or none.
        seconds: How long the database is waited for.
        clock: Goes on while the machine is suspended.
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
    _writer: Writer[Request] = field(init=False)

    @classmethod
    def of(cls, options: Options, address: Address) -> Self:
        """Return the journal that the options name."""
        return cls(
            address,
            options.batch or "",
            options.base_url,
            options.model,
            Numbered() if options.names is None else Shared(),
            options.uncertain_after,
            LONGEST_SILENCE if options.timeout is None else max(options.timeout, LEAST_PATIENCE),
        )

    def __attrs_post_init__(self) -> None:
        self._writer = Writer(self._connected, self._carry_out, self.address.hide, self._failure, self.seconds)

    def own_threads(self) -> list[int]:
        """Return the threads that it runs."""
        return self._writer.threads()

    # In the writer's thread

    def _connected(self) -> Connection:
        connection = self.address.connect()
        try:
            statements.create(connection)
            batch = statements.register(connection, self.name, self.base_url)
            if self._batch not in (None, batch):
                raise InvalidInputError(f"The database has forgotten the batch {self.name!r}: it is another one.")
            if self.keys.alone:
                statements.lock(connection, batch)
        except BaseException:
            connection.close()
            raise
        self._batch = batch
        return connection

    def _carry_out(self, connection: Connection, requests: Sequence[Request], again: bool) -> Sequence[object]:
        lost = self._lost if again else []
        owner = f"{self._owner}:{next(self._tries)}"
        self._lost = [*lost, owner]
        return carry_out(Try(connection, self._batch or 0, owner, lost, self.clock), requests)

    def _failure(self, why: str) -> ConfigurationError:
        return ConfigurationError(
            f"The journal of the batch {self.name!r} at {self.address.shown} cannot be used ({why}), so nothing more "
            "is sent. What was submitted and is not told in it is listed by tasks()."
        )

    # What is asked, and what the responses say

    def _met(self, item: Item, key: bytes, row: Row) -> Entry:
        """Return what is known of an input. What a run that is alone finds under way is probably a dead run's."""
        entry = self._entry(key, row)
        return evolve(entry, adopts=True) if self.keys.alone and item.seen is None else entry

    def _entry(self, key: bytes, row: Row) -> Entry:
        return entry_of(key, row, self.model, self.uncertain_after, datetime.now(UTC))

    def _reserved(self, entry: Entry, claimed: Claimed) -> Entry:
        deadline = Deadline(self.clock, claimed.at + self.uncertain_after / 2)
        return evolve(entry, event="submitting", attempt=claimed.attempt, look_again=None, leaves_by=deadline)

    def _taken(self, entry: Entry, row: Row) -> Entry:
        """Return the entry of an input that could not be claimed: it is to be looked at again."""
        found = self._entry(key_of(entry), row)
        return evolve(found, look_again=found.look_again or SOONEST_LOOK)

    def _released(self, claim: Claim, future: Future[Claimed | None]) -> None:
        """Free an input whose claim is no longer waited for: it is not sent."""
        claimed = None if future.exception() else future.result()
        if claimed is not None:
            error = "The batch was ended before it was sent."
            with suppress(WaveSpeedError):
                self._writer.ask(Tell(claim.key, Told(claimed.attempt, "refused", error=error)))

    def _told(self, notes: Sequence[Note]) -> list[tuple[Note, Future[bool]]]:
        tells = [Tell(key_of(note.entry), told_of(note)) for note in notes]
        try:
            return [(note, self._writer.ask(tell)) for note, tell in zip(notes, tells, strict=True)]
        except WaveSpeedError:
            self._log_unwritten(tells)
            raise

    def _check_written(self, note: Note, written: bool) -> None:
        if not written and note.event == "submitted":
            logger.warning(
                "Task %s is not in the journal of the batch %r: its input has been paid for again meanwhile, or has "
                "another task. Wait for it by its id.",
                note.task and note.task["id"],
                self.name,
            )

    def _log_unwritten(self, requests: Sequence[Request]) -> None:
        ids = [request.told.task_id for request in requests if isinstance(request, Tell) and request.told.task_id]
        if ids:
            logger.warning("The journal of the batch %r lacks these tasks: %s", self.name, " ".join(ids))
