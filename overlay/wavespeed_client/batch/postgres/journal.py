"""The journal in PostgreSQL, sync and async. The two classes differ only in `await`."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING

from .entries import asked_of, key_of
from .ledger import Ledger
from .requests import Claim, Keep, Look, Recall, Spent

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ...files.register import Upload
    from ..journal import Entry, Item, Note


class PostgresJournal(Ledger):
    """A journal whose methods block until their changes are committed."""

    def prepare(self) -> None:
        """Connect, and create the tables and the batch if they do not exist.

        Raises:
            ConfigurationError: The database cannot be used.
            InvalidInputError: The batch is for another base URL.
        """
        try:
            self._writer.response(self._writer.start())
        except BaseException:
            self._writer.leave()
            raise

    def look(self, item: Item) -> Entry:
        """Return the entry of an input. Record the input if it is new; let it adopt a task that was found for it."""
        request = asked_of(item, self.keys)
        return self._met(item, request.key, self._writer.response(self._writer.ask(request)))

    def reserve(self, entry: Entry) -> Entry:
        """Claim an input. If the returned entry has `look_again`, the claim failed: another run has the input."""
        key = key_of(entry)
        claimed = self._writer.response(self._writer.ask(Claim(key, entry.cost)))
        if claimed is not None:
            return self._reserved(entry, claimed)
        return self._taken(entry, self._writer.response(self._writer.ask(Look(key))))

    def write(self, notes: Sequence[Note]) -> None:
        """Record events."""
        for note, future in self._recorded(notes):
            self._check_written(note, self._writer.response(future))

    def spent(self) -> list[float]:
        """Return the price quoted for each task that was, will be or may be billed, in USD."""
        return self._writer.response(self._writer.ask(Spent()))

    def uploads(self, digests: Sequence[str]) -> list[Upload]:
        """Return the uploads of these contents, by any run."""
        return self._writer.response(self._writer.ask(Recall(digests)))

    def uploaded(self, uploads: Sequence[Upload]) -> None:
        """Record uploads."""
        self._writer.response(self._writer.ask(Keep(uploads)))

    def close(self) -> None:
        """Record what is left in the queue, and disconnect."""
        self._log_unwritten(self._writer.close())


class AsyncPostgresJournal(Ledger):
    """Async PostgresJournal."""

    async def prepare(self) -> None:
        """Async prepare."""
        try:
            await self._writer.aresponse(self._writer.start())
        except BaseException:
            self._writer.leave()
            raise

    async def look(self, item: Item) -> Entry:
        """Async look."""
        request = asked_of(item, self.keys)
        return self._met(item, request.key, await self._writer.aresponse(self._writer.ask(request)))

    async def reserve(self, entry: Entry) -> Entry:
        """Async reserve. A claim is released if the caller is cancelled."""
        claim = Claim(key_of(entry), entry.cost)
        future = self._writer.ask(claim)
        try:
            claimed = await self._writer.aresponse(future)
            if claimed is not None:
                return self._reserved(entry, claimed)
            return self._taken(entry, await self._writer.aresponse(self._writer.ask(Look(claim.key))))
        except BaseException:
            future.add_done_callback(partial(self._released, claim))
            raise

    async def write(self, notes: Sequence[Note]) -> None:
        """Async write."""
        for note, future in self._recorded(notes):
            self._check_written(note, await self._writer.aresponse(future))

    async def spent(self) -> list[float]:
        """Async spent."""
        return await self._writer.aresponse(self._writer.ask(Spent()))

    async def uploads(self, digests: Sequence[str]) -> list[Upload]:
        """Async uploads."""
        return await self._writer.aresponse(self._writer.ask(Recall(digests)))

    async def uploaded(self, uploads: Sequence[Upload]) -> None:
        """Async uploaded."""
        await self._writer.aresponse(self._writer.ask(Keep(uploads)))

    async def close(self) -> None:
        """Async close."""
        self._log_unwritten(await asyncio.to_thread(self._writer.close))
