"""What a batch in a database may spend: the database keeps what was quoted, and the next run counts it."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest

from tests.overlay.batch.journals import MODEL
from tests.servers.in_process import Attach, Service, tagged
from wavespeed_client import CostLimitError, InvalidInputError, Progress

pytestmark = pytest.mark.promise("database-resume")


@pytest.fixture
def postgres(empty_database: str) -> str:
    """A database for each test: the service within the process names the same tasks in each."""
    return empty_database


def test_the_next_run_counts_what_was_quoted(attach: Attach, service: Service, postgres: str, name: str) -> None:
    seen: list[Progress] = []

    def run(budget: float) -> list[Any]:
        where = {"journal": postgres, "batch": name, "on_progress": seen.append}
        return attach().run_many(MODEL, tagged(10), budget=budget, **where)

    outcomes = run(0.3)
    assert len(service.submitted) == 3
    assert sum(isinstance(one.error, CostLimitError) for one in outcomes) == 7
    outcomes = run(0.5)
    assert len(service.submitted) == 5
    assert sum(one.error is None for one in outcomes) == 5
    assert seen[-1].cost == 0.5
    with psycopg.connect(postgres) as connection:
        costs = connection.execute("select state, cost from wavespeed_input where state = 'finished'").fetchall()
    assert costs == [("finished", 0.1)] * 5


def test_failed_ones_are_let_be_submitted_by_pay_again_alone(attach: Attach, postgres: str, name: str) -> None:
    with pytest.raises(InvalidInputError, match="pay_again"):
        attach().client.run_many(MODEL, tagged(1), journal=postgres, batch=name, retry_failed=True)


def test_without_a_journal_nothing_tells_what_has_failed(attach: Attach) -> None:
    with pytest.raises(InvalidInputError, match="retry_failed needs a journal"):
        attach().client.run_many(MODEL, tagged(1), retry_failed=True)
