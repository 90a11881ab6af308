"""Requests of one kind that are carried out together."""

from __future__ import annotations

import pytest

from tests.conftest import TestClock
from wavespeed_client import InvalidInputError
from wavespeed_client.batch.postgres import statements
from wavespeed_client.batch.postgres.requests import (
    Claim,
    Look,
    Meet,
    Record,
    Release,
    Try,
    carry_out,
)
from wavespeed_client.batch.postgres.statements import Connection, Result, Row

pytestmark = pytest.mark.promise("database-once")


def test_of_several_claims_of_one_input_the_first_gets_it(connection: Connection, batch: int, clock: TestClock) -> None:
    """Equal inputs of a run share a row. Each one that gets an attempt would send it."""
    statements.meet(connection, batch, {b"cat": ("a/b", "{}"), b"dog": ("a/b", "{}")})
    this = Try(connection, batch, "owner", [], clock)
    claims = [Claim(b"cat"), Claim(b"cat"), Claim(b"dog"), Claim(b"cat")]
    clock.time += 5.0
    responses = carry_out(this, claims)
    assert [claim.attempt for claim in claims] == [1, 0, 1, 0]
    assert [claims[0].at, claims[2].at] == [clock.now()] * 2
    assert [responses[0], responses[2]] == [None, None]
    for other in (responses[1], responses[3]):
        assert isinstance(other, Row)
        assert (other.state, other.attempt) == ("submitting", 1)


def test_only_the_owners_claims_are_released(connection: Connection, batch: int, clock: TestClock) -> None:
    statements.meet(connection, batch, {b"cat": ("a/b", "{}"), b"dog": ("a/b", "{}")})
    statements.claim(connection, batch, [b"dog"], "another")
    this, claims = Try(connection, batch, "owner", [], clock), [Claim(b"cat"), Claim(b"cat"), Claim(b"dog")]
    carry_out(this, claims)
    carry_out(this, [Release(claim) for claim in claims])
    rows = statements.look(connection, batch, [b"cat", b"dog"])
    assert {key: row.state for key, row in rows.items()} == {b"cat": "refused", b"dog": "submitting"}
    assert rows[b"cat"].error == "The batch ended before the input was sent."


def test_of_several_results_of_one_input_the_last_counts(connection: Connection, batch: int, clock: TestClock) -> None:
    statements.meet(connection, batch, {b"cat": ("a/b", "{}"), b"dog": ("a/b", "{}")})
    this = Try(connection, batch, "owner", [], clock)
    carry_out(this, [Claim(b"cat")])
    early, late, other = Result(1, "uncertain"), Result(1, "refused"), Result(1, "uncertain")
    written = carry_out(this, [Record({b"cat": early}), Record({b"cat": late, b"dog": other})])
    assert written == [{b"cat"}, {b"cat"}]
    assert statements.look(connection, batch, [b"cat"])[b"cat"].state == "refused"


def test_a_row_that_was_deleted_meanwhile_is_named(connection: Connection, batch: int, clock: TestClock) -> None:
    with pytest.raises(InvalidInputError, match="key 636174 was deleted"):
        carry_out(Try(connection, batch, "owner", [], clock), [Look(b"cat")])


def test_a_batch_that_was_deleted_meanwhile_is_named(connection: Connection, clock: TestClock) -> None:
    with pytest.raises(InvalidInputError, match="wavespeed_batch was deleted"):
        carry_out(Try(connection, 0, "owner", [], clock), [Meet(b"cat", "provider/model", "{}")])
