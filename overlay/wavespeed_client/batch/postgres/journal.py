"""The journal in PostgreSQL."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from attrs import frozen

from . import statements
from .requests import Alone, Claim, Look, Record

if TYPE_CHECKING:
    from collections.abc import Awaitable, Sequence

    from ...files.register import Upload
    from ..journal import Entry, Item, Note
    from .writer import Writer


@frozen(eq=False)
class PostgresJournal:
    """A journal whose methods block until their changes are committed. With an `AsyncWriter`, they return awaitables.

    `prepare` connects, and creates the tables and the batch if they do not exist. `close` first records what is queued.
    """

    writer: Writer

    def prepare(self) -> Awaitable[None] | None:
        return self.writer.open()

    def look(self, item: Item) -> Awaitable[Entry] | Entry:
        return self.writer.response(Look(item))

    def reserve(self, entry: Entry) -> Awaitable[Entry] | Entry:
        return self.writer.response(Claim(entry))

    def write(self, notes: Sequence[Note]) -> Awaitable[None] | None:
        return self.writer.response(Record(notes))

    def spent(self) -> Awaitable[Sequence[float]] | Sequence[float]:
        return self.writer.response(Alone(statements.spent))

    def uploads(self, digests: Sequence[str]) -> Awaitable[Sequence[Upload]] | Sequence[Upload]:
        return self.writer.response(Alone(partial(statements.recall, digests=digests)))

    def uploaded(self, uploads: Sequence[Upload]) -> Awaitable[None] | None:
        return self.writer.response(Alone(partial(statements.keep, uploads=uploads)))

    def own_threads(self) -> Sequence[int]:
        return self.writer.threads()

    def close(self) -> Awaitable[None] | None:
        return self.writer.close()
