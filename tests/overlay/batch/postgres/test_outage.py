"""A database that goes away while a batch runs: nothing more is sent, no call waits forever, and nothing is lost."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from typing import Any

import psycopg
import pytest

import database
from tests.conftest import collected
from tests.overlay.batch.journals import MODEL
from tests.overlay.batch.postgres.counting import KEY, CountingService, inputs
from tests.servers.faults import in_thread
from tests.servers.in_process import Attach, Service, refusal, stepper, tagged
from wavespeed_client import AsyncWaveSpeed, ConfigurationError, Outcome, Progress
from wavespeed_client.batch import options
from wavespeed_client.batch.postgres import statements

pytestmark = pytest.mark.promise("database-outage")


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(options, "LEAST_PATIENCE", 0.0)


@pytest.fixture
def url(own_server: database.Server) -> str:
    with psycopg.connect(own_server.url, autocommit=True) as connection:
        connection.execute("drop table if exists wavespeed_upload, wavespeed_input, wavespeed_batch")
    return own_server.url


def states(url: str) -> dict[str, str]:
    with psycopg.connect(url) as connection:
        rows = connection.execute("select input::json ->> 'tag', state from wavespeed_input").fetchall()
    return dict(rows)


def exhaust(step: Callable[[], Any]) -> None:
    for _ in range(20):
        step()


def without_lists(number: int, given: dict[str, Any]) -> tuple[int, dict[str, Any]] | None:
    return refusal(500) if "page_size" in given else None


def test_a_database_that_stays_away_ends_the_run_and_logs_its_tasks(
    attach: Attach, service: Service, own_server: database.Server, url: str, caplog: pytest.LogCaptureFixture
) -> None:
    service.polls = 1_000

    def crash(number: int, given: dict[str, Any]) -> None:
        if number == 5:
            own_server.crash()

    service.submission = crash
    with pytest.raises(ConfigurationError, match=r"The journal of the batch 'cats' at postgresql:///.* cannot be used"):
        attach().run_many(MODEL, tagged(20), journal=url, batch="cats", max_in_flight=1 + 5, timeout=1.0)
    own_server.start()
    sent, ids = set(service.submitted), set(service.running)
    # A task whose time is up makes room for one that was claimed before the crash.
    assert 6 <= len(service.submitted) == len(sent) < 12
    left = states(url)
    assert {tag for tag in left if left[tag] in ("submitting", "submitted")} >= sent
    assert "The journal's database does not work, nothing is sent meanwhile" in caplog.text
    with psycopg.connect(url) as connection:
        connection.execute("update wavespeed_input set changed_at = now() - interval '1 h'")
    service.polls, service.submission = 1, without_lists
    found = attach().run_many(MODEL, tagged(20), journal=url, batch="cats")
    assert max(service.accepted.values()) == 1
    for outcome in found:
        assert outcome.uncertain or outcome.task.id.startswith(f"{outcome.input['tag']}-")
    # Submissions whose response was not recorded, and inputs claimed when the database went away.
    uncertain = {outcome.input["tag"] for outcome in found if outcome.uncertain}
    assert uncertain <= {tag for tag in left if left[tag] == "submitting"}
    assert len(ids) == len(sent)
    assert ids <= {outcome.task.id for outcome in found if outcome.task} | set(caplog.text.split())


def test_a_run_continues_when_the_database_comes_back(
    attach: Attach, service: Service, own_server: database.Server, url: str
) -> None:
    def crash(number: int, given: dict[str, Any]) -> None:
        if number in (3, 9):
            own_server.crash()
            own_server.start()

    service.submission = crash
    found = attach().run_many(MODEL, tagged(20), journal=url, batch="cats", max_in_flight=4)
    assert sorted(outcome.index for outcome in found) == list(range(20))
    assert all(outcome.error is None for outcome in found)
    assert service.accepted == {f"t{number}": 1 for number in range(20)}
    assert set(states(url).values()) == {"finished"}


TAKE = "select pg_try_advisory_lock(hashtextextended('wavespeed_batch', id)) from wavespeed_batch"
END = "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'wavespeed-client'"


def test_a_run_ends_if_another_has_taken_the_batch_during_an_outage(
    attach: Attach, service: Service, own_server: database.Server, url: str
) -> None:
    # So long that the server has started again by then, on a busy machine, too.
    step, close = stepper(attach(), MODEL, tagged(20), journal=url, batch="cats", max_in_flight=1, timeout=4.0)
    step()
    own_server.crash()
    own_server.start()
    with psycopg.connect(url, autocommit=True) as other:
        while not other.execute(TAKE).fetchall()[0][0]:
            other.execute(END)  # the run had connected again before
        with pytest.raises(ConfigurationError, match="another run uses the batch"):
            exhaust(step)
    close()
    assert len(service.submitted) < 20


def test_a_run_ends_if_the_restored_database_has_lost_its_batch(
    attach: Attach, service: Service, own_server: database.Server, url: str
) -> None:
    step, close = stepper(attach(), MODEL, tagged(20), journal=url, batch="cats", max_in_flight=1, timeout=5.0)
    step()
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("truncate wavespeed_upload, wavespeed_input, wavespeed_batch")
    own_server.crash()
    own_server.start()
    with pytest.raises(ConfigurationError, match=r"The database lost the batch 'cats'|was deleted while"):
        exhaust(step)
    close()
    assert len(service.submitted) < 20


@pytest.mark.promise("database-once")
def test_two_runs_without_a_lock_submit_no_input_twice(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A lost connection loses its lock, and behind a pooler there may be none."""
    monkeypatch.setattr(statements, "lock", lambda connection, batch: None)
    ended = []

    def end_connections(progress: Progress) -> None:
        if progress.done in (3, 12, 25):
            with psycopg.connect(url) as connection:
                ended.append(connection.execute(END).fetchall())

    async def run(service: CountingService) -> list[Outcome]:
        async with AsyncWaveSpeed(KEY, base_url=service.url) as ws:
            given = {"journal": url, "batch": "cats", "max_in_flight": 4, "on_progress": end_connections}
            return await collected(ws.run_many(MODEL, inputs(30), **given))

    async def both(service: CountingService) -> list[list[Outcome]]:
        return await asyncio.gather(run(service), run(service))

    with in_thread(CountingService()) as service:
        found = asyncio.run(both(service))
    assert ended[0]
    assert service.arrived == Counter(given["prompt"] for given in inputs(30))
    for outcomes in found:
        assert sorted(outcome.index for outcome in outcomes) == list(range(33))
        assert all(outcome.error is None for outcome in outcomes)
