"""The journal in PostgreSQL: claims that are released, and tasks that it cannot record."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from attrs import evolve

from tests.conftest import SETTINGS
from wavespeed_client.batch.journal import Item, Note, digest_of
from wavespeed_client.batch.options import Options, async_journal_for, checked_options, journal_for
from wavespeed_client.batch.postgres.statements import Connection

MODEL = "wavespeed-ai/flux-dev"
INPUT = {"prompt": "A cat"}
ITEM = Item(digest_of(MODEL, INPUT), MODEL, json.dumps(INPUT).encode())


def options(postgres: str, name: str) -> Options:
    return checked_options(SETTINGS, MODEL, [INPUT], 8, None, 600.0, postgres, None, name)


def rows(connection: Connection, name: str) -> list[tuple[Any, ...]]:
    query = "select state, task_id from wavespeed_input join wavespeed_batch on id = batch where name = %s"
    return connection.execute(query, (name,)).fetchall()


@pytest.mark.promise("database-once")
def test_a_claim_is_released_if_its_caller_is_cancelled(connection: Connection, postgres: str, name: str) -> None:
    """Otherwise the next run would wait for a response to a submission that was never sent."""

    async def cancel() -> None:
        journal: Any = async_journal_for(options(postgres, name))
        await journal.prepare()
        claim = asyncio.create_task(journal.reserve(await journal.look(ITEM)))
        await asyncio.sleep(0)
        claim.cancel()
        assert isinstance((await asyncio.gather(claim, return_exceptions=True))[0], asyncio.CancelledError)
        await journal.close()

    asyncio.run(cancel())
    assert rows(connection, name) == [("refused", None)]


@pytest.mark.promise("database-once")
def test_a_task_that_is_not_recorded_is_named(
    connection: Connection, postgres: str, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    """The task was paid for, so its id must be somewhere."""
    journal: Any = journal_for(options(postgres, name))
    journal.prepare()
    entry = journal.reserve(journal.look(ITEM))
    journal.write([Note(entry, "submitted", {"id": "task-1", "status": "created"})])
    earlier = evolve(entry, attempt=entry.attempt - 1)
    journal.write([Note(earlier, "submitted", {"id": "task-2", "status": "created"})])
    journal.close()
    assert rows(connection, name) == [("submitted", "task-1")]
    assert [message for message in caplog.messages if "task-2" in message and "is not in the journal" in message]
