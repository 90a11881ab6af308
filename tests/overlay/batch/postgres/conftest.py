"""A batch for each test of the journal in PostgreSQL, and the servers that several tests need."""

from __future__ import annotations

import secrets
from collections.abc import Iterator

import psycopg
import pytest

import database
from tests.overlay.batch.postgres.counting import CountingService
from tests.overlay.batch.postgres.databases import Database
from tests.servers.faults import in_thread
from wavespeed_client.batch.postgres import statements, writer
from wavespeed_client.batch.postgres.statements import Connection


@pytest.fixture
def name() -> str:
    """The name of a batch that does not exist yet."""
    return f"cats-{secrets.token_hex(4)}"


@pytest.fixture
def connection(postgres: str) -> Iterator[Connection]:
    with psycopg.connect(postgres, autocommit=True) as connection:
        statements.create(connection)
        yield connection


@pytest.fixture
def batch(connection: Connection, name: str) -> int:
    """The number of a batch for this test alone."""
    return statements.register(connection, name, "https://api.wavespeed.ai")


@pytest.fixture
def counting() -> Iterator[CountingService]:
    """A service that lists its tasks."""
    with in_thread(CountingService(seconds=0)) as service:
        yield service


@pytest.fixture(scope="module")
def own_server() -> Iterator[database.Server]:
    """A database server that a test may crash, since nothing else uses it."""
    try:
        with database.server(*database.QUICK) as server:
            yield server
    except database.NoServerError as error:
        pytest.skip(str(error))


@pytest.fixture(name="database")
def stand_in(monkeypatch: pytest.MonkeyPatch) -> Iterator[Database]:
    monkeypatch.setattr(writer, "FIRST_PAUSE", 0.001)
    monkeypatch.setattr(writer, "SECONDS_TO_DIE", 0.05)
    made = Database()
    yield made
    made.end()
