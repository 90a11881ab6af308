"""Batches in loops that start tasks eagerly, which Python has since 3.12, and in those that do not."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.overlay.batch.test_end import last_events
from tests.overlay.batch.test_end_within import async_client
from tests.servers.in_process import Service, tagged
from wavespeed_client import ConfigurationError, CostLimitError

MODEL = "provider/model"
EAGER = getattr(asyncio, "eager_task_factory", None)


@pytest.fixture(params=[None] if EAGER is None else [None, EAGER], ids=lambda factory: "eager" if factory else "lazy")
def run(request: pytest.FixtureRequest) -> Any:
    """Run a coroutine in a loop with one of the task factories that this Python has."""

    def to_its_end(main: Coroutine[Any, Any, Any]) -> Any:
        with asyncio.Runner() as runner:
            runner.get_loop().set_task_factory(request.param)
            return runner.run(main)

    return to_its_end


@pytest.mark.promise("limits")
def test_many_inputs_that_waited_for_the_budget_are_refused_together(run: Any, service: Service) -> None:
    def poll(task: str, polls: int) -> Any:
        return None if len(service.quoted) == 600 else service.prediction(task, "processing")

    async def main() -> list[Any]:
        async with async_client(service) as ws:
            return [
                outcome
                async for outcome in ws.run_many(MODEL, tagged(600), budget=0.1, max_in_flight=600, timeout=None)
            ]

    service.poll = poll
    outcomes = run(main())
    assert service.submitted == ["t0"]
    assert [type(outcome.error) for outcome in sorted(outcomes, key=lambda outcome: outcome.index)] == [
        type(None),
        *[CostLimitError] * 599,
    ]


@pytest.mark.promise("batch-responses")
def test_a_client_that_is_closed_by_a_hook_of_a_response_still_records_it(
    run: Any, service: Service, tmp_path: Path
) -> None:
    async def close(response: httpx.Response) -> None:
        await ws.aclose()

    async def main() -> None:
        with pytest.raises(ConfigurationError, match="closed while this batch ran"):
            async for _ in ws.run_many(MODEL, tagged(9), max_in_flight=1, journal=tmp_path / "batch.jsonl"):
                pass
        assert asyncio.all_tasks() == {asyncio.current_task()}

    ws = async_client(service, response=[close])
    run(main())
    assert service.submitted == ["t0"]
    assert last_events(tmp_path / "batch.jsonl")[0] == "submitted"
