"""A batch of its own for each test of the journal in PostgreSQL."""

from __future__ import annotations

import secrets
from collections.abc import Iterator

import psycopg
import pytest

from wavespeed_client.batch.postgres import statements
from wavespeed_client.batch.postgres.statements import Connection


@pytest.fixture
def name() -> str:
    """The name of a batch that there is not yet."""
    return f"cats-{secrets.token_hex(4)}"


@pytest.fixture
def connection(postgres: str) -> Iterator[Connection]:
    with psycopg.connect(postgres, autocommit=True) as connection:
        statements.create(connection)
        yield connection


@pytest.fixture
def batch(connection: Connection, name: str) -> int:
    """The number of a batch of its own."""
    return statements.register(connection, name, "https://api.wavespeed.ai")
