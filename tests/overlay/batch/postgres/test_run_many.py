"""`run_many` with its journal in PostgreSQL: what the next run does with each row, and which requests it sends."""

from __future__ import annotations

import hashlib
import logging
import pickle
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

from tests.conftest import Connect, Driven
from tests.overlay.batch.journals import MODEL
from tests.overlay.batch.postgres.counting import CountingService
from tests.servers.in_process import Attach, Service, refusal, stepper, tagged
from wavespeed_client import ConfigurationError, InvalidInputError, TaskFailedError, TaskTimeoutError, pay_again
from wavespeed_client.batch.journal import digest_of
from wavespeed_client.batch.postgres.statements import Connection

pytestmark = pytest.mark.promise("database-once", "database-resume")

Rows = Callable[[], list[tuple[Any, ...]]]


@pytest.fixture
def connection(empty_database: str) -> Iterator[Connection]:
    with psycopg.connect(empty_database, autocommit=True) as connection:
        yield connection


@pytest.fixture
def rows(connection: Connection, name: str) -> Rows:
    """A function that reads the rows of the batch."""

    def read() -> list[tuple[Any, ...]]:
        query = """select state, attempt, task_id, error from wavespeed_input
            join wavespeed_batch on wavespeed_batch.id = batch where name = %s order by input, key"""
        return connection.execute(query, (name,)).fetchall()

    return read


def set_state(connection: Connection, name: str, state: str, hours: int = 1) -> None:
    """Put the rows of a batch into this state, dated this many hours ago."""
    connection.execute(
        """update wavespeed_input set state = %s, task = null, task_id = null,
            changed_at = now() - make_interval(hours => %s), submitted_at = now() - make_interval(hours => %s)
           from wavespeed_batch where wavespeed_batch.id = batch and name = %s""",
        (state, hours, hours, name),
    )


def test_a_finished_input_is_handed_out_again_without_a_request(
    attach: Attach, service: Service, empty_database: str, name: str, rows: Rows
) -> None:
    first = attach().run_many(MODEL, tagged(20), journal=empty_database, batch=name)
    polled = service.polled.copy()
    assert {state for state, *_ in rows()} == {"finished"}
    second = attach().run_many(MODEL, reversed(tagged(20)), journal=empty_database, batch=name)
    assert len(service.submitted) == 20
    assert service.polled == polled
    assert {outcome.input["tag"]: outcome.task for outcome in second} == {
        outcome.input["tag"]: outcome.task for outcome in first
    }


def test_equal_inputs_are_separate_tasks(attach: Attach, service: Service, empty_database: str, name: str) -> None:
    attach().run_many(MODEL, [{"tag": "a"}, {"tag": "b"}, {"tag": "a"}], journal=empty_database, batch=name)
    outcomes = attach().run_many(MODEL, [{"tag": "a"}] * 3 + [{"tag": "c"}], journal=empty_database, batch=name)
    assert service.accepted == {"a": 3, "b": 1, "c": 1}
    assert len({outcome.task.id for outcome in outcomes}) == 4


def test_a_batch_of_another_name_submits_its_inputs_again(
    attach: Attach, service: Service, empty_database: str, name: str
) -> None:
    for batch in (name, f"{name}-2"):
        attach().run_many(MODEL, tagged(2), journal=empty_database, batch=batch)
    assert service.accepted == {"t0": 2, "t1": 2}


def test_texts_that_postgresql_refuses_are_stored_escaped(
    attach: Attach, service: Service, empty_database: str, name: str, rows: Rows
) -> None:
    odd = {"tag": "t0", "odd": "\0 \U0001f600", "other": "\\u0000"}
    service.submission = lambda number, given: (400, {"code": 400, "message": "Not \0 \ud800 this."})
    attach().run_many(MODEL, [odd], journal=empty_database, batch=name)
    assert rows() == [("refused", 1, None, "BadRequestError: Not \\x00 \\ud800 this. (HTTP 400)")]
    service.submission = lambda number, given: None
    (outcome,) = attach().run_many(MODEL, [odd], journal=empty_database, batch=name)
    assert outcome.input == odd
    assert rows()[0][:2] == ("finished", 2)


@pytest.mark.parametrize("status", [400, 401, 403, 429])
def test_a_refused_input_is_submitted_by_the_next_run(
    attach: Attach, service: Service, empty_database: str, name: str, rows: Rows, status: int
) -> None:
    service.submission = lambda number, given: refusal(status)
    attach().run_many(MODEL, tagged(1), journal=empty_database, batch=name, timeout=5)
    attempts = len(service.submitted)
    assert rows()[0][:2] == ("refused", attempts)
    service.submission = lambda number, given: None
    (outcome,) = attach().run_many(MODEL, tagged(1), journal=empty_database, batch=name)
    assert outcome.error is None
    assert service.accepted == {"t0": 1}


def test_a_task_that_is_not_waited_for_does_not_hurry_the_database(
    attach: Attach, service: Service, empty_database: str, name: str, rows: Rows
) -> None:
    outcomes = attach().run_many(MODEL, tagged(5), journal=empty_database, batch=name, timeout=0)
    assert [type(outcome.error) for outcome in outcomes] == [TaskTimeoutError] * 5
    assert {state for state, *_ in rows()} == {"submitted"}


def test_a_failed_task_is_paid_again_on_request(
    attach: Attach, service: Service, empty_database: str, name: str
) -> None:
    service.poll = lambda task, polls: (
        200,
        {"code": 200, "data": {"id": task, "status": "failed", "error": "No."}},
    )
    for _ in range(2):
        (outcome,) = attach().run_many(MODEL, tagged(1), journal=empty_database, batch=name)
        assert isinstance(outcome.error, TaskFailedError)
    assert service.submitted == ["t0"]
    service.poll = lambda task, polls: None
    assert pay_again(empty_database, name, "uncertain") == 0
    assert pay_again(empty_database, name, "uncertain", "failed") == 1
    (outcome,) = attach().run_many(MODEL, tagged(1), journal=empty_database, batch=name)
    assert outcome.error is None
    assert service.submitted == ["t0", "t0"]


# A run that died during a submission


@pytest.fixture
def ws(connect: Connect, counting: CountingService) -> Driven:
    return connect(base_url=counting.url)


CAT = {"prompt": "A cat"}


@pytest.mark.parametrize("state", ["submitting", "uncertain"])
def test_the_task_of_an_uncertain_input_is_found_and_adopted(
    ws: Driven,
    counting: CountingService,
    connection: Connection,
    empty_database: str,
    name: str,
    rows: Rows,
    state: str,
) -> None:
    (first,) = ws.run_many(MODEL, [CAT], journal=empty_database, batch=name)
    set_state(connection, name, state)
    (second,) = ws.run_many(MODEL, [CAT], journal=empty_database, batch=name)
    assert second.task.id == first.task.id
    assert counting.arrived == {"A cat": 1}
    assert rows() == [("finished", 1, first.task.id, None)]


def test_a_run_that_was_just_killed_is_not_waited_for_where_its_task_is_found(
    ws: Driven, counting: CountingService, connection: Connection, empty_database: str, name: str
) -> None:
    (first,) = ws.run_many(MODEL, [CAT], journal=empty_database, batch=name)
    set_state(connection, name, "submitting", hours=0)
    (second,) = ws.run_many(MODEL, [CAT], journal=empty_database, batch=name)
    assert second.task.id == first.task.id
    assert counting.arrived == {"A cat": 1}


def test_an_input_stays_uncertain_if_its_task_belongs_to_another_input(
    ws: Driven, counting: CountingService, connection: Connection, empty_database: str, name: str, rows: Rows
) -> None:
    ws.run_many(MODEL, [CAT], journal=empty_database, batch=name)
    connection.execute(
        """insert into wavespeed_input (batch, key, state, attempt, model, input, submitted_at, changed_at)
           select id, %s, 'submitting', 1, %s, '{"prompt":"A cat"}', now() - interval '1 h', now() - interval '1 h'
           from wavespeed_batch where name = %s""",
        (second_key(CAT), MODEL, name),
    )
    for _ in range(2):
        found = ws.run_many(MODEL, [CAT, CAT], journal=empty_database, batch=name)
        assert sorted(outcome.uncertain for outcome in found) == [False, True]
    assert counting.arrived == {"A cat": 1}
    assert sorted(state for state, *_ in rows()) == ["finished", "uncertain"]
    assert pay_again(empty_database, name, "uncertain") == 1
    found = ws.run_many(MODEL, [CAT, CAT], journal=empty_database, batch=name)
    assert len({outcome.task.id for outcome in found}) == 2
    assert counting.arrived == {"A cat": 2}


def test_a_task_listed_without_its_input_is_not_adopted(
    ws: Driven, counting: CountingService, connection: Connection, empty_database: str, name: str
) -> None:
    ws.run_many(MODEL, [CAT], journal=empty_database, batch=name)
    set_state(connection, name, "uncertain")
    counting.lists_inputs = False
    (outcome,) = ws.run_many(MODEL, [CAT], journal=empty_database, batch=name)
    assert outcome.uncertain


def second_key(given: dict[str, Any]) -> bytes:
    return hashlib.sha256(digest_of(MODEL, given) + (1).to_bytes(8, "big")).digest()


def test_an_input_stays_uncertain_when_tasks_cannot_be_listed(
    ws: Driven,
    counting: CountingService,
    connection: Connection,
    empty_database: str,
    name: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    ws.run_many(MODEL, [CAT], journal=empty_database, batch=name)
    set_state(connection, name, "uncertain")
    counting.lists = False
    (outcome,) = ws.run_many(MODEL, [CAT], journal=empty_database, batch=name)
    assert outcome.uncertain
    assert "The task of an uncertain submission" in caplog.text
    counting.lists = True
    (outcome,) = ws.run_many(MODEL, [CAT], journal=empty_database, batch=name)
    assert not outcome.uncertain
    assert counting.arrived == {"A cat": 1}


def test_an_input_that_another_run_may_be_submitting_is_looked_up_again(
    attach: Attach, service: Service, connection: Connection, empty_database: str, name: str
) -> None:
    service.polls = 0
    attach().run_many(MODEL, tagged(3), journal=empty_database, batch=name)
    state = """update wavespeed_input set state = %s, changed_at = now() where input like '%%"t1"%%'"""
    connection.execute(state, ("submitting",))

    def ends_meanwhile(progress: Any) -> None:
        if progress.done == 2:
            connection.execute(state, ("finished",))

    found = attach().run_many(
        MODEL, tagged(3), journal=empty_database, batch=name, max_in_flight=1, on_progress=ends_meanwhile
    )
    assert [outcome.index for outcome in found] == [0, 2, 1]
    assert all(outcome.error is None for outcome in found)
    assert sorted(tag for tag in service.submitted if tag) == ["t0", "t1", "t2"]


# Arguments and batches that are refused


def test_a_second_run_of_a_batch_is_refused_until_the_first_has_ended(
    attach: Attach, service: Service, empty_database: str, name: str
) -> None:
    ws = attach()
    step, close = stepper(ws, MODEL, tagged(5), journal=empty_database, batch=name)
    step()
    with pytest.raises(ConfigurationError, match="another run uses the batch: wait for its end"):
        attach().run_many(MODEL, tagged(5), journal=empty_database, batch=name)
    close()
    attach().run_many(MODEL, tagged(5), journal=empty_database, batch=name)
    assert len(service.submitted) == 5


def test_a_batch_for_another_base_url_is_refused(
    attach: Attach, service: Service, empty_database: str, name: str
) -> None:
    attach().run_many(MODEL, tagged(1), journal=empty_database, batch=name)
    with pytest.raises(InvalidInputError, match=r"but this client is for 'http://127\.0\.0\.1:1'"):
        attach(base_url="http://127.0.0.1:1").run_many(MODEL, tagged(1), journal=empty_database, batch=name)
    assert len(service.submitted) == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"journal": "service=cats"}, "needs batch="),
        ({"journal": "service=cats", "batch": " "}, "needs batch="),
        ({"journal": "service=cats", "batch": "a\nb"}, "needs batch="),
        ({"journal": "service=cats", "batch": "a" * 201}, "needs batch="),
        ({"journal": "service=cats", "batch": 1}, "needs batch="),
        ({"batch": "cats"}, "batch is only for a journal in a database"),
        ({"journal": "cats.jsonl", "batch": "cats"}, "batch is only for a journal in a database"),
    ],
)
def test_an_invalid_name_of_a_batch_is_refused(attach: Attach, arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidInputError, match=message):
        attach().run_many(MODEL, tagged(1), **arguments)


@pytest.mark.promise("database-password")
@pytest.mark.parametrize("scheme", ["mysql", "POSTGRESQL", "postgresql+psycopg"])
@pytest.mark.parametrize("batch", [None, "cats"])
def test_a_url_of_another_database_is_refused_and_makes_no_file(
    attach: Attach, service: Service, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, scheme: str, batch: str | None
) -> None:
    monkeypatch.chdir(tmp_path)
    password = "-".join(["pass", "word"])
    with pytest.raises(ConfigurationError, match="The journal is not the address of a database") as caught:
        attach().run_many(MODEL, tagged(1), journal=f"{scheme}://cat:{password}@host/cats", batch=batch)
    assert password not in "".join(traceback.format_exception(caught.value))
    assert list(tmp_path.iterdir()) == []
    assert service.submitted == []


def test_pay_again_takes_the_states_uncertain_and_failed_only() -> None:
    with pytest.raises(InvalidInputError, match='Say which inputs to pay for again: "uncertain"'):
        pay_again("service=cats", "cats")
    with pytest.raises(InvalidInputError, match='Say which inputs to pay for again: "uncertain"'):
        pay_again("service=cats", "cats", "finished")  # type: ignore[arg-type]


def test_pay_again_refuses_an_unknown_batch(empty_database: str) -> None:
    with pytest.raises(InvalidInputError, match=r"There is no batch 'dogs' at postgresql://"):
        pay_again(empty_database, "dogs", "failed")


# The password


@pytest.mark.promise("database-password")
@pytest.mark.parametrize("wrong", ["password", "host", "dbname"])
def test_the_databases_password_shows_nowhere(
    attach: Attach,
    service: Service,
    empty_database: str,
    wrong: str,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    password = "-".join(["pass", "word"])
    parts = (
        conninfo_to_dict(empty_database) | {"password": password} | ({} if wrong == "password" else {wrong: "nowhere"})
    )
    query = "&".join(f"{name}={value}" for name, value in parts.items() if name != "host" or value != "nowhere")
    monkeypatch.setenv("JOURNAL", f"postgresql://{'nowhere.invalid' if wrong == 'host' else ''}/?{query}")
    with caplog.at_level(logging.DEBUG), pytest.raises(ConfigurationError, match="env:JOURNAL") as run:
        attach().run_many(MODEL, tagged(1), journal="env:JOURNAL", batch="cats")
    with pytest.raises(ConfigurationError, match="env:JOURNAL") as again:
        pay_again("env:JOURNAL", "cats", "uncertain")
    for error in (run.value, again.value):
        found = traceback.TracebackException.from_exception(error, capture_locals=True)
        frames = [frame for frame in found.stack if not frame.filename.endswith("test_run_many.py")]
        shown = [caplog.text, str(error), repr(error), *(repr(frame.locals) for frame in frames)]
        assert password not in "".join(shown)
        assert error.__cause__ is None
        assert error.__context__ is None
        assert password.encode() not in pickle.dumps(error)
    assert service.submitted == []
