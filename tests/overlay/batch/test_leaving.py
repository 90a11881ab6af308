"""How a batch ends before its inputs do, sync and async."""

from __future__ import annotations

import gc
import logging
from collections.abc import Iterator
from typing import Any

import pytest

from tests.overlay.batch.leaving import MODEL, left_running, looped, turns
from tests.servers.in_process import Attach, Service, stepper, tagged
from wavespeed_client import (
    ConfigurationError,
    Progress,
)

pytestmark = pytest.mark.promise("batch-end", "limits")


def test_an_error_of_on_progress_is_the_callers_and_ends_the_batch(attach: Attach, service: Service) -> None:
    def report(progress: Progress) -> None:
        if progress.done == 3:
            raise LookupError("mine")

    ws = attach()
    with pytest.raises(LookupError, match="mine") as caught:
        ws.run_many(MODEL, tagged(1000), max_in_flight=2, on_progress=report)
    assert "was not yielded: task t" in caught.value.__notes__[0]
    assert left_running(ws) == 0
    assert len(service.submitted) < 10


@pytest.mark.parametrize("interruption", [LookupError, KeyboardInterrupt])
def test_an_error_in_the_loop_ends_the_batch_and_logs_the_tasks(
    attach: Attach, service: Service, interruption: type[BaseException], caplog: pytest.LogCaptureFixture
) -> None:
    ws = attach()
    service.polls = 1_000_000_000

    def body() -> None:
        raise interruption

    with caplog.at_level(logging.WARNING, "wavespeed_client"):
        with pytest.raises(interruption):
            looped(ws, [None, *tagged(50)], body)
        gc.collect()
        ws._runner.run(turns())
        assert left_running(ws) == 0
    assert len(service.submitted) <= 4
    logged = " ".join(record.getMessage() for record in caplog.records)
    assert all(task in logged for task in service.running)


def test_leaving_the_loop_ends_the_batch(attach: Attach, service: Service) -> None:
    """This is a plain break: nothing is closed explicitly."""
    ws = attach()
    looped(ws, tagged(1000), lambda: None)
    assert left_running(ws) == 0
    assert len(service.submitted) < 12


def test_a_batch_that_is_never_begun_does_nothing(attach: Attach, service: Service) -> None:
    ws = attach()
    outcomes = ws.client.run_many(MODEL, tagged(5))
    del outcomes
    gc.collect()
    assert (service.submitted, left_running(ws)) == ([], 0)


def test_closing_the_client_ends_the_batch(attach: Attach, service: Service) -> None:
    ws = attach()
    service.polls = 3
    step, _ = stepper(ws, MODEL, tagged(100))
    step()
    ws.end()
    assert left_running(ws) == 0
    before = len(service.submitted)
    with pytest.raises(ConfigurationError, match="closed"):
        step()
    assert len(service.submitted) == before
    with pytest.raises(ConfigurationError, match="closed"):
        ws.run_many(MODEL, [])


def test_an_error_of_the_iterable_comes_after_the_outcomes_of_submitted_inputs(
    attach: Attach, service: Service
) -> None:
    def source() -> Iterator[dict[str, Any]]:
        yield from tagged(5)
        raise LookupError("the database is gone")

    step, _ = stepper(attach(), MODEL, source())
    assert sorted(step().index for _ in range(5)) == list(range(5))
    with pytest.raises(LookupError, match="the database is gone"):
        step()
    assert len(service.submitted) == 5
