"""What the stand-in keeps in a long run: the newest records, and the tasks that a client may still wait for."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from wavespeed_client.testing import FakeWaveSpeed, deliveries, records
from wavespeed_client.testing.records import KEPT, keep, keep_under

FLUX = "wavespeed-ai/flux-dev"


@pytest.fixture
def small(fake: FakeWaveSpeed, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeWaveSpeed]:
    """A stand-in that keeps 20 records of each kind, and drops tasks once there are 5 more."""
    monkeypatch.setattr(records, "KEPT", 20)
    monkeypatch.setattr(records, "TASKS_SPARED", 5)
    yield fake
    fake.violations.clear()


def test_the_last_ten_thousand_records_are_kept_in_order() -> None:
    listed, named = list(range(KEPT)), dict.fromkeys(range(KEPT), "")
    assert KEPT == 10_000
    assert keep(listed, KEPT) == [0]
    assert listed == list(range(1, KEPT + 1))
    keep_under(named, KEPT, "")
    assert list(named) == listed


def test_every_record_is_bounded_and_the_money_is_counted_all_the_same(small: FakeWaveSpeed) -> None:
    small.script(FLUX, "completed")
    with small.client() as ws:
        tasks = [ws.submit(FLUX, {"seed": number}, webhook="https://example.com/hook") for number in range(60)]
        assert ws.balance() == round(100 - 60 * 0.012, 6)
        assert [task.id for task in small.tasks][-20:] == [task.id for task in tasks[-20:]]
        assert ws.get(tasks[-1]) == tasks[-1]
        assert httpx.get(f"{small.url}/nothing", trust_env=False).status_code == 404
    assert [request.method for request in small.requests] == ["POST"] * 17 + ["GET"] * 3
    assert [call.input["seed"] for call in small.calls] == list(range(40, 60))
    assert len(small.deliveries) == 20
    assert len(small.tasks) <= 25


def test_violations_and_files_are_bounded(small: FakeWaveSpeed) -> None:
    key = {"Authorization": f"Bearer {small.api_key}"}
    with httpx.Client(base_url=small.url, headers=key, trust_env=False) as http:
        for number in range(30):
            http.get(f"/nothing/{number}")
            http.post("/api/v3/media/upload/binary", files={"file": (f"{number}.png", b"abc")})
    assert small.violations == [f"GET /nothing/{number}: no such path" for number in range(10, 30)]
    assert [path.rpartition("/")[2] for path in small.files] == [f"{number}.png" for number in range(10, 30)]


def test_a_task_that_runs_outlives_those_that_have_ended(small: FakeWaveSpeed) -> None:
    with small.client() as ws:
        small.script(FLUX, "created")
        running = [ws.submit(FLUX) for _ in range(10)]
        small.script(FLUX, "completed")
        ended = [ws.submit(FLUX) for _ in range(60)]
        assert [task.id for task in small.tasks][:10] == [task.id for task in running]
        small.script(FLUX, "created")
        running += [ws.submit(FLUX) for _ in range(50)]  # too many: the oldest are dropped even while they run
        assert [ws.get(task).status for task in running[-20:]] == ["created"] * 20
    assert len(small.tasks) <= 25
    assert not {task.id for task in small.tasks} & {task.id for task in ended}


def test_a_webhook_call_whose_record_is_dropped_is_given_up(
    small: FakeWaveSpeed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deliveries.Courier, "send", lambda self, delivery: None)
    with small.client() as ws:
        ws.submit(FLUX, webhook="http://127.0.0.1:1/")
        (first,) = small.deliveries
        assert not first.ended
        for _ in range(20):
            ws.submit(FLUX, webhook="http://127.0.0.1:1/")
    assert first.ended
    assert first not in small.deliveries
    assert not small.deliveries[0].ended
