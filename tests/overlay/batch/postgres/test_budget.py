"""Budgets of batches in a database: it keeps the quoted prices, and the next run counts them."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest

from tests.overlay.batch.journals import MODEL
from tests.servers.in_process import Attach, Service, tagged
from wavespeed_client import CostLimitError, InvalidInputError, Progress

pytestmark = pytest.mark.promise("database-resume")


def test_the_next_run_counts_what_was_quoted(attach: Attach, service: Service, empty_database: str, name: str) -> None:
    seen: list[Progress] = []

    def run(budget: float) -> list[Any]:
        where = {"journal": empty_database, "batch": name, "on_progress": seen.append}
        return attach().run_many(MODEL, tagged(10), budget=budget, **where)

    outcomes = run(0.3)
    assert len(service.submitted) == 3
    assert sum(isinstance(one.error, CostLimitError) for one in outcomes) == 7
    outcomes = run(0.5)
    assert len(service.submitted) == 5
    assert sum(one.error is None for one in outcomes) == 5
    assert seen[-1].cost == 0.5
    with psycopg.connect(empty_database) as connection:
        costs = connection.execute("select state, cost from wavespeed_input where state = 'finished'").fetchall()
    assert costs == [("finished", 0.1)] * 5


def test_failed_inputs_are_submitted_again_only_after_pay_again(attach: Attach, empty_database: str, name: str) -> None:
    with pytest.raises(InvalidInputError, match="pay_again"):
        attach().client.run_many(MODEL, tagged(1), journal=empty_database, batch=name, retry_failed=True)


def test_retry_failed_needs_a_journal(attach: Attach) -> None:
    with pytest.raises(InvalidInputError, match="retry_failed needs a journal"):
        attach().client.run_many(MODEL, tagged(1), retry_failed=True)
