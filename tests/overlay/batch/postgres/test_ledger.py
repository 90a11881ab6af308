"""Requests of one kind that are carried out together."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from attrs import evolve

from tests.conftest import SETTINGS, TestClock
from wavespeed_client import InvalidInputError
from wavespeed_client.batch.journal import Entry, Item, Note, digest_of
from wavespeed_client.batch.options import checked_options
from wavespeed_client.batch.postgres import statements
from wavespeed_client.batch.postgres.entries import SOONEST_LOOK
from wavespeed_client.batch.postgres.ledger import Ledger
from wavespeed_client.batch.postgres.requests import Claim, Look, Record, Release
from wavespeed_client.batch.postgres.statements import Connection, Result
from wavespeed_client.parsing import task_in

pytestmark = pytest.mark.promise("database-once")

MODEL = "a/b"


@pytest.fixture
def ledger(connection: Connection, batch: int, clock: TestClock, postgres: str, name: str) -> Ledger:
    """The ledger of a batch whose inputs are shared with other runs."""
    options = evolve(checked_options(SETTINGS, MODEL, [], 8, None, 600.0, postgres, None, name), names=[])
    address: Any = options.journal
    ledger = Ledger(options, address, clock)
    ledger.connect().close()
    statements.meet(connection, batch, {b"cat": (MODEL, "{}"), b"dog": (MODEL, "{}")})
    return ledger


def entry(key: bytes, **known: Any) -> Entry:
    return Entry(key, "planned", datetime.now(UTC), **known)


def item(number: int, **known: Any) -> Item:
    return Item(digest_of(MODEL, {"n": number}), MODEL, b'{"n":%d}' % number, **known)


def raw_task(name: str) -> dict[str, Any]:
    """Return a task that no other batch in the database has."""
    return {"id": f"task-of-{name}", "status": "completed", "outputs": ["x"]}


def carried_out(ledger: Ledger, connection: Connection, *requests: Any, again: bool = False) -> list[Any]:
    return list(ledger.carry_out(connection, requests, again))


def test_of_several_claims_of_one_input_the_first_gets_it(
    connection: Connection, ledger: Ledger, clock: TestClock
) -> None:
    """Equal inputs of a run share a row. Each one that gets an attempt would send it."""
    claims = [Claim(entry(b"cat", cost=0.5)), Claim(entry(b"cat")), Claim(entry(b"dog")), Claim(entry(b"cat"))]
    responses = carried_out(ledger, connection, *claims)
    assert [claim.attempt for claim in claims] == [1, 0, 1, 0]
    for claimed in (responses[0], responses[2]):
        assert (claimed.event, claimed.attempt, claimed.look_again) == ("submitting", 1, None)
        assert claimed.leaves_by.at == clock.now() + ledger.options.uncertain_after / 2
    for other in (responses[1], responses[3]):
        assert (other.event, other.attempt) == ("submitting", 1)
        assert other.look_again > 0


def test_an_input_that_cannot_be_claimed_is_looked_up_again_whatever_its_state(
    connection: Connection, batch: int, name: str, ledger: Ledger
) -> None:
    statements.claim(connection, batch, {b"cat": None}, "another")
    statements.record(connection, batch, {b"cat": Result(1, "finished", f"task-of-{name}", json.dumps(raw_task(name)))})
    [other] = carried_out(ledger, connection, Claim(entry(b"cat")))
    assert (other.event, other.look_again) == ("finished", SOONEST_LOOK)


def test_a_claim_whose_response_was_lost_is_repeated_but_not_the_claim_of_another(
    connection: Connection, batch: int, ledger: Ledger
) -> None:
    """The connection was lost while the claim was committed: it was not sent."""
    statements.claim(connection, batch, {b"dog": None}, "another")
    lost, again = Claim(entry(b"cat")), [Claim(entry(b"cat")), Claim(entry(b"dog"))]
    carried_out(ledger, connection, lost)
    carried_out(ledger, connection, *again, again=True)
    assert [lost.attempt, *(claim.attempt for claim in again)] == [1, 2, 0]
    later = Claim(entry(b"cat"))
    carried_out(ledger, connection, later)
    assert later.attempt == 0


def test_only_the_owners_claims_are_released(connection: Connection, batch: int, ledger: Ledger) -> None:
    statements.claim(connection, batch, {b"dog": None}, "another")
    claims = [Claim(entry(b"cat")), Claim(entry(b"cat")), Claim(entry(b"dog"))]
    carried_out(ledger, connection, *claims)
    carried_out(ledger, connection, *[Release(claim) for claim in claims])
    rows = statements.look(connection, batch, [b"cat", b"dog"])
    assert {key: row.state for key, row in rows.items()} == {b"cat": "refused", b"dog": "submitting"}
    assert rows[b"cat"].error == "The batch ended before the input was sent."


def test_of_several_results_of_one_input_the_last_counts(
    connection: Connection, batch: int, ledger: Ledger, caplog: pytest.LogCaptureFixture
) -> None:
    [claimed] = carried_out(ledger, connection, Claim(entry(b"cat")))
    early, late = Note(claimed, "uncertain"), Note(claimed, "refused")
    other = Note(entry(b"dog", attempt=1), "uncertain")
    carried_out(ledger, connection, Record([early]), Record([late, other]))
    rows = statements.look(connection, batch, [b"cat", b"dog"])
    assert {key: row.state for key, row in rows.items()} == {b"cat": "refused", b"dog": "planned"}
    assert caplog.messages == []  # an outdated result without a task is nothing to worry about


def test_an_input_that_was_seen_before_keeps_its_key_and_adopts_its_task(
    connection: Connection, batch: int, name: str, ledger: Ledger
) -> None:
    carried_out(ledger, connection, Claim(entry(b"cat")))
    statements.record(connection, batch, {b"cat": Result(1, "uncertain")})
    seen = entry(b"cat", attempt=1)
    found = carried_out(
        ledger,
        connection,
        Look(item(1)),
        Look(item(2, seen=seen)),
        Look(item(2, seen=seen, found=(task_in(raw_task(name), MODEL),))),
    )
    assert [(one.key, one.event) for one in found] == [
        (item(1).digest, "planned"),
        (b"cat", "submitted"),
        (b"cat", "submitted"),
    ]
    assert found[2].task.id == f"task-of-{name}"


def test_an_input_gets_one_key_however_often_it_is_looked_up(
    connection: Connection, batch: int, ledger: Ledger
) -> None:
    """The connection was lost while it was recorded. Under a second key, it would be another input."""
    numbered = Ledger(evolve(ledger.options, names=None), ledger.address)
    numbered.connect().close()
    looks = [Look(item(1)), Look(item(1))]
    first = carried_out(numbered, connection, *looks)
    again = carried_out(numbered, connection, *looks, again=True)
    assert [one.key for one in first] == [one.key for one in again]
    assert first[0].key != first[1].key


def test_a_claim_that_a_new_run_finds_may_adopt_its_task_only_if_no_other_run_can_have_made_it(
    connection: Connection, batch: int, ledger: Ledger
) -> None:
    """The claim is so young that another run could still send it, if there were another run."""
    alone = Ledger(evolve(ledger.options, names=None), ledger.address)
    alone.connect().close()
    [planned] = carried_out(ledger, connection, Look(item(1)))
    carried_out(ledger, connection, Claim(planned))
    [first] = carried_out(alone, connection, Look(item(1)))
    [again] = carried_out(alone, connection, Look(item(1, seen=first)))
    [shared] = carried_out(ledger, connection, Look(item(1)))
    assert [one.event for one in (first, again, shared)] == ["submitting"] * 3
    assert [one.adopts for one in (first, again, shared)] == [True, False, False]
    assert all(one.look_again for one in (first, again, shared))


def test_a_broken_row_fails_its_own_request_only(connection: Connection, batch: int, name: str, ledger: Ledger) -> None:
    carried_out(ledger, connection, Claim(entry(b"cat")))
    task = json.dumps(raw_task(name))
    statements.record(connection, batch, {b"cat": Result(1, "submitted", f"task-of-{name}", task)})
    connection.execute("update wavespeed_input set task = '[]' where batch = %s and key = %s", (batch, b"cat"))
    looks = [Look(item(1, seen=entry(b"cat"))), Look(item(2, seen=entry(b"dog")))]
    broken, fine = carried_out(ledger, connection, *looks)
    assert isinstance(broken, InvalidInputError)
    assert fine.event == "planned"
    [claimed] = carried_out(ledger, connection, Claim(entry(b"cat")))
    assert isinstance(claimed, InvalidInputError)


def test_a_row_that_was_deleted_meanwhile_is_named(connection: Connection, ledger: Ledger) -> None:
    with pytest.raises(InvalidInputError, match="key 626972 was deleted"):
        carried_out(ledger, connection, Look(item(1, seen=entry(b"bir"))))


def test_a_batch_that_was_deleted_meanwhile_is_named(connection: Connection, batch: int, ledger: Ledger) -> None:
    connection.execute("delete from wavespeed_input where batch = %s", (batch,))
    connection.execute("delete from wavespeed_batch where id = %s", (batch,))
    with pytest.raises(InvalidInputError, match="wavespeed_batch was deleted"):
        carried_out(ledger, connection, Look(item(1)))
