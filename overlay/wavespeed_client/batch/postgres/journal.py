"""The journal in PostgreSQL, for a batch that blocks and for one that awaits. They differ by await alone."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING

from .entries import key_of
from .ledger import Ledger
from .requests import Claim, Keep, Look, Recall, Spent

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ...files.register import Upload
    from ..journal import Entry, Item, Note
    from .requests import Claimed


class PostgresJournal(Ledger):
    """A journal whose methods block until what they are told is committed."""

    def prepare(self) -> None:
        """Connect, and make what is not there yet.

        Raises:
            ConfigurationError: The database cannot be used.
            InvalidInputError: The batch's tasks are at another base URL.
        """
        try:
            self._writer.response(self._writer.start())
        except BaseException:
            self._writer.leave()
            raise

    def claim(self, items: Sequence[Item]) -> list[Entry | None]:
        """Tell what is known of each input: it is written down if it is new, and takes a task that was found for it."""
        looked_up = self._looked_up(items)
        return [self._met(item, key, self._writer.response(future)) for item, key, future in looked_up]

    def planned(self, items: Sequence[Item]) -> list[Entry]:
        """Take in inputs that are new here."""
        return [entry for entry in self.claim(items) if entry is not None]

    def reserve(self, entries: Sequence[Entry]) -> list[Entry]:
        """Claim each input. What comes back with `look_again` is not ours."""
        claims = self._asked(Claim(key_of(entry), entry.cost) for entry in entries)
        return [self._held(entry, self._writer.response(claim)) for entry, claim in zip(entries, claims, strict=True)]

    def write(self, notes: Sequence[Note]) -> None:
        """Write down what happened."""
        for note, future in self._told(notes):
            self._check_written(note, self._writer.response(future))

    def spent(self) -> list[float]:
        """Tell what was quoted for each task that was, will be or may be billed, in USD."""
        return self._writer.response(self._writer.ask(Spent()))

    def uploads(self, digests: Sequence[str]) -> list[Upload]:
        """Tell where these contents were uploaded to, by whichever run."""
        return self._writer.response(self._writer.ask(Recall(digests)))

    def uploaded(self, uploads: Sequence[Upload]) -> None:
        """Write down what was uploaded."""
        self._writer.response(self._writer.ask(Keep(uploads)))

    def close(self) -> None:
        """Write down what is left, and disconnect."""
        self._log_unwritten(self._writer.close())

    def _held(self, entry: Entry, claimed: Claimed | None) -> Entry:
        if claimed is not None:
            return self._reserved(entry, claimed)
        return self._taken(entry, self._writer.response(self._writer.ask(Look(key_of(entry)))))


class AsyncPostgresJournal(Ledger):
    """Async PostgresJournal."""

    async def prepare(self) -> None:
        """Async prepare."""
        try:
            await self._writer.aresponse(self._writer.start())
        except BaseException:
            self._writer.leave()
            raise

    async def claim(self, items: Sequence[Item]) -> list[Entry | None]:
        """Async claim."""
        looked_up = self._looked_up(items)
        return [self._met(item, key, await self._writer.aresponse(future)) for item, key, future in looked_up]

    async def planned(self, items: Sequence[Item]) -> list[Entry]:
        """Async planned."""
        return [entry for entry in await self.claim(items) if entry is not None]

    async def reserve(self, entries: Sequence[Entry]) -> list[Entry]:
        """Async reserve. A caller who is cancelled claims nothing."""
        claims = [Claim(key_of(entry), entry.cost) for entry in entries]
        futures = self._asked(claims)
        try:
            return [
                await self._held(entry, await self._writer.aresponse(future))
                for entry, future in zip(entries, futures, strict=True)
            ]
        except BaseException:
            for claim, future in zip(claims, futures, strict=True):
                future.add_done_callback(partial(self._released, claim))
            raise

    async def write(self, notes: Sequence[Note]) -> None:
        """Async write."""
        for note, future in self._told(notes):
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

    async def _held(self, entry: Entry, claimed: Claimed | None) -> Entry:
        if claimed is not None:
            return self._reserved(entry, claimed)
        return self._taken(entry, await self._writer.aresponse(self._writer.ask(Look(key_of(entry)))))
