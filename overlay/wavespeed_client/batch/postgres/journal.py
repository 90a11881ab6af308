"""The journal in PostgreSQL, sync and async. The two classes differ only in `await`."""

from __future__ import annotations

from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING

from attrs import Factory, define, field

from ...errors import WaveSpeedError
from . import statements
from .async_writer import AsyncWriter
from .entries import asked_of, key_of, record_of
from .ledger import Ledger
from .requests import Alone, Claim, Release
from .writer import Writer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ...files.register import Upload
    from ..journal import Entry, Item, Note


@define(eq=False)
class PostgresJournal(Ledger):
    """A journal whose methods block until their changes are committed."""

    _writer: Writer = field(init=False, default=Factory(lambda self: Writer(self, self.seconds), takes_self=True))

    def prepare(self) -> None:
        """Connect, and create the tables and the batch if they do not exist.

        Raises:
            ConfigurationError: The database cannot be used.
            InvalidInputError: The batch is for another base URL.
        """
        self._writer.open()

    def look(self, item: Item) -> Entry:
        """Return the entry of an input. Record the input if it is new; let it adopt a task that was found for it."""
        request = asked_of(item, self.keys)
        return self._met(item, request.key, self._writer.response(request))

    def reserve(self, entry: Entry) -> Entry:
        """Claim an input. If the returned entry has `look_again`, the claim failed: another run has the input."""
        claim = Claim(key_of(entry), entry.cost)
        return self._reserved(entry, claim, self._writer.response(claim))

    def write(self, notes: Sequence[Note]) -> None:
        """Record events."""
        self._check_written(notes, self._writer.response(record_of(notes)))

    def spent(self) -> list[float]:
        """Return the price quoted for each task that was, will be or may be billed, in USD."""
        costs: list[float] = self._writer.response(Alone(statements.spent))
        return costs

    def uploads(self, digests: Sequence[str]) -> list[Upload]:
        """Return the uploads of these contents, by any run."""
        known: list[Upload] = self._writer.response(Alone(partial(statements.recall, digests=digests)))
        return known

    def uploaded(self, uploads: Sequence[Upload]) -> None:
        """Record uploads."""
        self._writer.response(Alone(partial(statements.keep, uploads=uploads)))

    def own_threads(self) -> list[int]:
        """Return the ids of the journal's threads."""
        return self._writer.threads()

    def close(self) -> None:
        """Record what is left in the queue, and disconnect."""
        self._writer.close()


@define(eq=False)
class AsyncPostgresJournal(Ledger):
    """Async PostgresJournal."""

    _writer: AsyncWriter = field(
        init=False, default=Factory(lambda self: AsyncWriter(self, self.seconds), takes_self=True)
    )

    async def prepare(self) -> None:
        """Async prepare."""
        await self._writer.aopen()

    async def look(self, item: Item) -> Entry:
        """Async look."""
        request = asked_of(item, self.keys)
        return self._met(item, request.key, await self._writer.aresponse(request))

    async def reserve(self, entry: Entry) -> Entry:
        """Async reserve. A claim is released if the caller is cancelled."""
        claim = Claim(key_of(entry), entry.cost)
        try:
            row = await self._writer.aresponse(claim)
        except BaseException:
            with suppress(WaveSpeedError):
                self._writer.ask(Release(claim), None)
            raise
        return self._reserved(entry, claim, row)

    async def write(self, notes: Sequence[Note]) -> None:
        """Async write."""
        self._check_written(notes, await self._writer.aresponse(record_of(notes)))

    async def spent(self) -> list[float]:
        """Async spent."""
        costs: list[float] = await self._writer.aresponse(Alone(statements.spent))
        return costs

    async def uploads(self, digests: Sequence[str]) -> list[Upload]:
        """Async uploads."""
        known: list[Upload] = await self._writer.aresponse(Alone(partial(statements.recall, digests=digests)))
        return known

    async def uploaded(self, uploads: Sequence[Upload]) -> None:
        """Async uploaded."""
        await self._writer.aresponse(Alone(partial(statements.keep, uploads=uploads)))

    async def close(self) -> None:
        """Async close."""
        await self._writer.aclose()
