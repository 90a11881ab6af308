"""The statements, on a real PostgreSQL: who may send, and what is recorded."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest

from wavespeed_client import InvalidInputError
from wavespeed_client.batch.postgres import statements
from wavespeed_client.batch.postgres.statements import Connection, Result, adopt, claim, look, meet, record

pytestmark = pytest.mark.promise("database-once")

A, B = b"a", b"b"
OWNER = "one"


@pytest.fixture
def planned(connection: Connection, batch: int) -> int:
    meet(connection, batch, {A: ("a/b", "{}"), B: ("a/b", '{"b": "\\u0000\\ud800"}')})
    return batch


def state(connection: Connection, batch: int, key: bytes = A) -> str:
    return look(connection, batch, [key])[key].state


def submitted(attempt: int, id: str) -> Result:
    return Result(attempt, "submitted", id, f'{{"id": "{id}"}}')


def test_runs_that_begin_at_once_create_the_tables_once(empty_database: str) -> None:
    def begin(number: int) -> int:
        with psycopg.connect(empty_database, autocommit=True) as connection:
            statements.create(connection)
            return statements.register(connection, "cats", "https://api.wavespeed.ai")

    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(begin, range(8)))) == 1


def test_a_batch_of_tasks_elsewhere_is_refused(connection: Connection, batch: int, name: str) -> None:
    with pytest.raises(
        InvalidInputError, match=r"for 'https://api.wavespeed.ai', but this client is for 'http://fake'"
    ):
        statements.register(connection, name, "http://fake")


def test_a_batch_of_a_later_version_is_refused(connection: Connection, batch: int, name: str) -> None:
    connection.execute("update wavespeed_batch set version = 2 where id = %s", (batch,))
    with pytest.raises(InvalidInputError, match=r"has the format 2"):
        statements.register(connection, name, "https://api.wavespeed.ai")


def test_only_one_run_can_lock_a_batch(connection: Connection, postgres: str, batch: int) -> None:
    with psycopg.connect(postgres, autocommit=True) as other:
        statements.lock(other, batch)
        with pytest.raises(statements.BusyError, match="another run uses the batch"):
            statements.lock(connection, batch)
        other.execute("select pg_advisory_unlock_all()")
        statements.lock(connection, batch)


def test_an_input_that_is_there_is_not_planned_again(connection: Connection, planned: int) -> None:
    claim(connection, planned, {A: None}, OWNER)
    meet(connection, planned, {A: ("a/b", "{}")})
    assert state(connection, planned) == "submitting"


def test_only_one_owner_can_claim_an_input(connection: Connection, postgres: str, planned: int) -> None:
    def claimed(owner: str) -> int:
        with psycopg.connect(postgres, autocommit=True) as own:
            return len(claim(own, planned, {A: None, B: None}, owner))

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(claimed, map(str, range(8)))) == 2


def test_no_claim_expires(connection: Connection, planned: int) -> None:
    assert claim(connection, planned, {A: None}, OWNER) == {A: 1}
    connection.execute("update wavespeed_input set changed_at = '2001-01-01' where batch = %s", (planned,))
    assert claim(connection, planned, {A: None}, "two") == {}
    record(connection, planned, {A: Result(1, "uncertain", error="lost")})
    assert claim(connection, planned, {A: None}, "two") == {}


def test_a_refused_input_can_be_claimed_again(connection: Connection, planned: int) -> None:
    claim(connection, planned, {A: None}, OWNER)
    record(connection, planned, {A: Result(1, "refused", error="HTTP 429 \0 \ud800 é")})
    assert look(connection, planned, [A])[A].error == "HTTP 429 \\x00 \\ud800 é"
    assert claim(connection, planned, {A: None}, "two") == {A: 2}
    assert look(connection, planned, [A])[A].error is None


def test_an_owner_can_claim_again_if_the_response_to_its_claim_was_lost(connection: Connection, planned: int) -> None:
    claim(connection, planned, {A: None}, OWNER)
    claim(connection, planned, {B: None}, "two")
    assert claim(connection, planned, {A: None, B: None}, "again", [OWNER]) == {A: 2}
    assert claim(connection, planned, {A: None, B: None}, "late", [OWNER]) == {}


@pytest.mark.parametrize(
    ("before", "note", "after"),
    [
        ("submitting", "uncertain", "uncertain"),
        ("submitting", "refused", "refused"),
        ("submitting", "submitted", "submitted"),
        ("uncertain", "refused", "refused"),
        ("uncertain", "submitted", "submitted"),
        ("planned", "submitted", "submitted"),  # it may be paid again, and then its task is found after all
        ("refused", "uncertain", "refused"),
        ("submitted", "uncertain", "submitted"),
        ("submitted", "refused", "submitted"),
        ("submitted", "finished", "finished"),
        ("submitted", "failed", "failed"),
        ("finished", "failed", "finished"),
        ("finished", "submitted", "finished"),
        ("failed", "uncertain", "failed"),
    ],
)
def test_a_known_task_replaces_an_uncertain_result(
    connection: Connection, planned: int, before: str, note: str, after: str
) -> None:
    claim(connection, planned, {A: None}, OWNER)
    connection.execute(
        "update wavespeed_input set state = %s, task_id = %s, task = '{}' where batch = %s and key = %s",
        (before, f"task-{planned}", planned, A),
    )
    known = (f"task-{planned}", "{}") if note in ("submitted", "finished", "failed") else (None, None)
    written = record(connection, planned, {A: Result(1, note, *known)})
    assert state(connection, planned) == after
    assert written == ({A} if after == note else set())


def test_a_result_of_an_earlier_attempt_is_not_written(connection: Connection, planned: int) -> None:
    claim(connection, planned, {A: None}, OWNER)
    record(connection, planned, {A: Result(1, "refused")})
    claim(connection, planned, {A: None}, "two")
    assert record(connection, planned, {A: submitted(1, f"late-{planned}")}) == set()
    assert state(connection, planned) == "submitting"


def test_two_inputs_cannot_have_the_same_task(connection: Connection, planned: int) -> None:
    claim(connection, planned, {A: None, B: None}, OWNER)
    task = f"same-{planned}"
    assert record(connection, planned, {A: submitted(1, task), B: submitted(1, task)}) == {A}
    row = look(connection, planned, [B])[B]
    assert (row.state, row.error) == ("uncertain", f"the service returned the task {task}, which another input has")
    assert state(connection, planned) == "submitted"


def test_ages_are_computed_by_the_database(connection: Connection, planned: int) -> None:
    claim(connection, planned, {A: None}, OWNER)
    moved = "changed_at = changed_at - interval '1 h', submitted_at = submitted_at - interval '2 h'"
    connection.execute(f"update wavespeed_input set {moved} where batch = %s", (planned,))
    row = look(connection, planned, [A])[A]
    assert 3600 <= row.age < 3700
    assert row.submitted_ago is not None
    assert 7200 <= row.submitted_ago < 7300


@pytest.fixture
def uncertain(connection: Connection, planned: int) -> int:
    claim(connection, planned, {A: None, B: None}, OWNER)
    record(connection, planned, {A: Result(1, "uncertain"), B: Result(1, "uncertain")})
    return planned


def test_a_found_task_is_adopted_once(connection: Connection, uncertain: int) -> None:
    task = {f"found-{uncertain}": "{}"}
    assert adopt(connection, uncertain, A, 1, task)
    assert not adopt(connection, uncertain, B, 1, task)
    assert (state(connection, uncertain), state(connection, uncertain, B)) == ("submitted", "uncertain")


def test_of_several_found_tasks_one_is_adopted_only_if_other_inputs_have_the_rest(
    connection: Connection, uncertain: int
) -> None:
    one, two = {f"one-{uncertain}": "{}"}, {f"two-{uncertain}": "{}"}
    assert not adopt(connection, uncertain, A, 1, one | two)
    assert not adopt(connection, uncertain, A, 1, {})
    assert adopt(connection, uncertain, A, 1, one)
    assert adopt(connection, uncertain, B, 1, one | two)


def test_of_two_inputs_that_adopt_a_task_at_once_only_one_gets_it(
    connection: Connection, postgres: str, uncertain: int
) -> None:
    with psycopg.connect(postgres) as first, ThreadPoolExecutor(1) as pool:
        assert adopt(first, uncertain, A, 1, {f"both-{uncertain}": "{}"})
        second = pool.submit(adopt, connection, uncertain, B, 1, {f"both-{uncertain}": "{}"})
        first.commit()
        assert not second.result()


def test_an_uncertain_input_is_claimed_again_only_after_pay_again(
    connection: Connection, uncertain: int, name: str
) -> None:
    assert statements.pay_again(connection, name, ["failed"]) == 0
    assert claim(connection, uncertain, {A: None, B: None}, OWNER) == {}
    assert statements.pay_again(connection, name, ["uncertain"]) == 2
    assert claim(connection, uncertain, {A: None}, OWNER) == {A: 2}


def test_claims_wait_for_the_disk_in_a_database_that_does_not(connection: Connection, planned: int) -> None:
    connection.execute("set synchronous_commit = off")
    connection.execute("create temporary table seen (setting text)")
    connection.execute(
        "create function pg_temp.note() returns trigger language plpgsql as $$ begin "
        "insert into seen values (current_setting('synchronous_commit')); return null; end $$"
    )
    trigger = "create constraint trigger see after update on wavespeed_input deferrable initially deferred"
    connection.execute(f"{trigger} for each row execute function pg_temp.note()")
    try:
        claim(connection, planned, {A: None}, OWNER)
        record(connection, planned, {A: Result(1, "uncertain")})
        assert connection.execute("select setting from seen").fetchall() == [("on",), ("on",)]
    finally:
        connection.execute("drop trigger see on wavespeed_input")
