"""Carry out the requests of a run for its batch in the database.

Several runs on several machines may write at the same time. If another run is submitting an input, the entry has the
time of the next look. The database's clock measures ages. A submission that is too old to get a response is uncertain:
it is never sent again unless a person decides to pay again.
"""

from __future__ import annotations

import itertools
import json
import logging
import os
import socket
import uuid
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeAlias

from attrs import define, evolve, field
from psycopg.errors import ForeignKeyViolation

from ...clock import Clock, Deadline, WakingClock
from ...errors import ConfigurationError, InvalidInputError
from . import statements
from .entries import SOONEST_LOOK, entry_of, key_of, result_of
from .keys import Numbered
from .requests import Alone, Claim, Look, Record, Release
from .statements import Result

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from ..journal import Entry
    from ..options import Options
    from .address import Address
    from .requests import Request
    from .statements import Connection, Row

    # Returned, not raised, an error is the response to its own request only.
    Found: TypeAlias = Entry | InvalidInputError

logger = logging.getLogger("wavespeed_client")


@define(eq=False)
class Ledger:
    """A batch in the database, as one run sees it. The writer's thread calls it, except for `failure` and `unwritten`.

    Attributes:
        options: The arguments of the batch.
        address: The database's address.
        clock: A clock that does not stop while the machine is suspended.
    """

    options: Options
    address: Address
    clock: Clock = field(factory=WakingClock)
    # For a batch that only this run may use; None if equal inputs share one task, whichever runs submit them.
    _numbered: Numbered | None = field(init=False)
    _owner: str = field(init=False, factory=lambda: f"{socket.gethostname()}:{os.getpid()}:{uuid.uuid4().hex[:8]}")
    _tries: Iterator[int] = field(init=False, factory=itertools.count)
    # The names under which these requests were tried so far; a claim under one of them was not sent.
    _owners: list[str] = field(init=False, factory=list[str])
    _batch: int = field(init=False, default=0)

    def __attrs_post_init__(self) -> None:
        self._numbered = Numbered() if self.options.names is None else None

    def connect(self) -> Connection:
        """Return a connection that is ready for use."""
        connection = self.address.connect()
        name = self.options.batch or ""
        try:
            statements.create(connection)
            batch = statements.register(connection, name, self.options.base_url)
            if self._batch not in (0, batch):
                raise InvalidInputError(
                    f"The database lost the batch {name!r} while it ran: it was restored or replaced."
                )
            if self._numbered is not None:
                statements.lock(connection, batch)
        except BaseException:
            connection.close()
            raise
        self._batch = batch
        return connection

    def carry_out(self, connection: Connection, requests: Sequence[Request[Any]], again: bool) -> Sequence[object]:
        """Carry out requests of one kind together. Return the response to each, or its error.

        Args:
            connection: The connection.
            requests: The requests.
            again: Whether an earlier try lost its connection, so that its result is unknown.

        Raises:
            InvalidInputError: The batch, or a row of it, was deleted meanwhile.
        """
        self._owners = [*(self._owners if again else ()), f"{self._owner}:{next(self._tries)}"]
        kinds: dict[type, Callable[[Connection, Sequence[Any]], Sequence[object]]] = {
            Look: self._looked,
            Claim: self._claimed,
            Release: self._released,
            Record: self._recorded,
            Alone: self._alone,
        }
        try:
            return kinds[type(requests[0])](connection, requests)
        except ForeignKeyViolation as error:
            raise InvalidInputError("the row of wavespeed_batch was deleted while this batch ran") from error

    def shown(self, text: str) -> str:
        """Return a text without the password."""
        return self.address.hide(text)

    def failure(self, why: str) -> ConfigurationError:
        """Return the error for the reason why nothing can be written."""
        return ConfigurationError(
            f"The journal of the batch {self.options.batch!r} at {self.address.shown} cannot be used ({why}), so "
            "nothing more is sent. It may lack tasks that were submitted: tasks() lists them."
        )

    def unwritten(self, requests: Sequence[Request[Any]]) -> None:
        """Log the tasks in requests that could not be carried out."""
        notes = [note for request in requests if isinstance(request, Record) for note in request.notes]
        ids = [str(note.task["id"]) for note in notes if note.task is not None]
        if ids:
            logger.warning("The journal of the batch %r lacks these tasks: %s", self.options.batch, " ".join(ids))

    # Kinds of requests

    def _looked(self, connection: Connection, looks: Sequence[Look]) -> Sequence[Found]:
        new: dict[bytes, tuple[str, str]] = {}
        for look in looks:
            item = look.item
            if item.seen is None:
                look.key = look.key or (item.digest if self._numbered is None else self._numbered.key(item))
                new[look.key] = (item.model, item.json.decode())
                continue
            look.key = key_of(item.seen)
            if item.found:
                tasks = {task.id: json.dumps(task.raw) for task in item.found}
                statements.adopt(connection, self._batch, look.key, item.seen.attempt, tasks)
        rows = statements.meet(connection, self._batch, new) if new else {}
        found = self._entries(connection, [look.key for look in looks], rows)
        return [self._met(look, found[look.key]) for look in looks]

    def _met(self, look: Look, found: Found) -> Found:
        """Let a new input adopt its task if only this run may use the batch: another run that claimed it has died."""
        if isinstance(found, InvalidInputError) or found.adopts or self._numbered is None or look.item.seen is not None:
            return found
        return evolve(found, adopts=True)

    def _entries(
        self, connection: Connection, keys: Sequence[bytes], known: Mapping[bytes, Row] = {}
    ) -> dict[bytes, Found]:
        """Return the entries of inputs by key. Look up the rows that are not known."""
        unknown, now = [key for key in keys if key not in known], datetime.now(UTC)
        rows = {**known, **statements.look(connection, self._batch, unknown)} if unknown else known
        for key in unknown:
            if key not in rows:
                raise InvalidInputError(
                    f"the row of wavespeed_input with the key {key.hex()} was deleted while this batch ran"
                )
        return {key: entry_of(key, rows[key], self.options.model, self.options.uncertain_after, now) for key in keys}

    def _claimed(self, connection: Connection, claims: Sequence[Claim]) -> Sequence[Found]:
        leaves_by = Deadline.after(self.options.uncertain_after / 2, self.clock)
        costs = {key_of(claim.entry): claim.entry.cost for claim in claims}
        *lost, owner = self._owners
        attempts = statements.claim(connection, self._batch, costs, owner, lost)
        for claim in claims:
            # Of several requests for one input, only the first gets the attempt: it must be sent once.
            claim.attempt = attempts.pop(key_of(claim.entry), 0)
        others = self._entries(connection, [key_of(claim.entry) for claim in claims if not claim.attempt])
        return [
            evolve(claim.entry, event="submitting", attempt=claim.attempt, look_again=None, leaves_by=leaves_by)
            if claim.attempt
            else _taken(others[key_of(claim.entry)])
            for claim in claims
        ]

    def _released(self, connection: Connection, releases: Sequence[Release]) -> Sequence[None]:
        error = "The batch ended before the input was sent."
        claims = [release.claim for release in releases if release.claim.attempt]
        results = {key_of(claim.entry): Result(claim.attempt, "refused", error=error) for claim in claims}
        statements.record(connection, self._batch, results)
        return [None for _ in releases]

    def _recorded(self, connection: Connection, records: Sequence[Record]) -> Sequence[None]:
        notes = {key_of(note.entry): note for record in records for note in record.notes}
        written = statements.record(connection, self._batch, {key: result_of(note) for key, note in notes.items()})
        for key, note in notes.items():
            if note.event == "submitted" and key not in written:
                logger.warning(
                    "Task %s is not in the journal of the batch %r: its input was submitted again meanwhile, or "
                    "another input has this task. Wait for the task by its id.",
                    note.task and note.task["id"],
                    self.options.batch,
                )
        return [None for _ in records]

    def _alone(self, connection: Connection, requests: Sequence[Alone[Any]]) -> Sequence[object]:
        return [request.statement(connection, self._batch) for request in requests]


def _taken(found: Found) -> Found:
    """Return the entry of an input that another run has, with the time of the next look."""
    if isinstance(found, InvalidInputError):
        return found
    return evolve(found, look_again=found.look_again or SOONEST_LOOK)
