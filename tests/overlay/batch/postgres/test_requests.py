"""Requests of one kind that are carried out together."""

from __future__ import annotations

import pytest

from tests.conftest import TestClock
from wavespeed_client import InvalidInputError
from wavespeed_client.batch.postgres import statements
from wavespeed_client.batch.postgres.requests import Claim, Claimed, Look, Meet, Try, carry_out
from wavespeed_client.batch.postgres.statements import Connection

pytestmark = pytest.mark.promise("database-once")


def test_of_several_claims_of_one_input_the_first_gets_it(connection: Connection, batch: int, clock: TestClock) -> None:
    """Equal inputs of a run share a row. Each that gets an attempt sends it."""
    statements.meet(connection, batch, {b"cat": ("a/b", "{}"), b"dog": ("a/b", "{}")})
    this = Try(connection, batch, "owner", [], clock)
    responses = carry_out(this, [Claim(b"cat"), Claim(b"cat"), Claim(b"dog"), Claim(b"cat")])
    assert responses == [Claimed(1, clock.now()), None, Claimed(1, clock.now()), None]


def test_a_row_that_was_deleted_meanwhile_is_named(connection: Connection, batch: int, clock: TestClock) -> None:
    with pytest.raises(InvalidInputError, match="key 636174 was deleted"):
        carry_out(Try(connection, batch, "owner", [], clock), [Look(b"cat")])


def test_a_batch_that_was_deleted_meanwhile_is_named(connection: Connection, clock: TestClock) -> None:
    with pytest.raises(InvalidInputError, match="wavespeed_batch was deleted"):
        carry_out(Try(connection, 0, "owner", [], clock), [Meet(b"cat", "provider/model", "{}")])
