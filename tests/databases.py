"""Create databases for tests on a server, and drop them again."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import quote, urlencode

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo


@contextmanager
def made(server: str) -> Iterator[str]:
    """Make a database, yield its URL, and drop it."""
    name = f"wavespeed_test_{secrets.token_hex(6)}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(sql.SQL("create database {}").format(sql.Identifier(name)))
        try:
            yield url_of(server, name)
        finally:
            connection.execute(sql.SQL("drop database {} with (force)").format(sql.Identifier(name)))


def url_of(server: str, database: str) -> str:
    """Return the URL of a database on this server."""
    found = {**conninfo_to_dict(make_conninfo(server)), "dbname": database}
    return f"postgresql://?{urlencode(found, quote_via=quote)}"
