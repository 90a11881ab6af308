"""Webhook calls of the stand-in, as their receiver sees them."""

import json
import threading
from collections.abc import Iterator

import httpx
import pytest
from tests.servers.raw import RawRequest, RawServer, http, serving

from wavespeed_client import Webhook
from wavespeed_client.testing import FakeWaveSpeed, deliveries

MODEL = "wavespeed-ai/flux-dev"


@pytest.fixture
def receiver(monkeypatch: pytest.MonkeyPatch) -> Iterator[RawServer]:
    """A receiver of webhook calls. It responds with 204 unless a test sets up something else."""
    monkeypatch.setattr(deliveries, "PAUSES", (0.0, 0.0, 0.0))
    with serving(default=http(204, b"")) as server:
        yield server


@pytest.mark.parametrize("where", ["query", "body"])
def test_a_finished_task_is_reported_in_a_signed_call(fake: FakeWaveSpeed, receiver: RawServer, where: str) -> None:
    with fake.client() as ws:
        if where == "query":
            task = ws.submit(MODEL, {"prompt": "a cat"}, webhook=receiver.url)
        else:
            task = ws.submit(MODEL, {"prompt": "a cat", "webhook_url": receiver.url})
        (delivery,) = fake.wait_for_deliveries()
        (call,) = receiver.requests
        reported = Webhook(fake.webhook_secret).parse(call.body, call.headers)
        assert reported == ws.get(task)
    assert (reported.id, reported.status, task.status) == (task.id, "completed", "created")
    assert call.headers["Content-Type"] == "application/json"
    assert (delivery.url, delivery.body, delivery.statuses, delivery.arrived) == (receiver.url, call.body, [204], True)


def test_a_failed_task_is_reported_with_its_status_and_code(fake: FakeWaveSpeed, receiver: RawServer) -> None:
    fake.fail(MODEL, error="No.", code=1200)
    with fake.client() as ws:
        ws.submit(MODEL, webhook=receiver.url)
    fake.wait_for_deliveries()
    calls = [json.loads(call.body) for call in receiver.requests]
    assert [(call["status"], call["code"]) for call in calls] == [("failed", 1200)]


@pytest.mark.parametrize(
    ("statuses", "tries", "arrived"),
    [
        ([500, 404, 204], [500, 404, 204], True),
        ([302], [302, 204], True),
        ([0], [None, 204], True),
        ([500] * 9, [500] * 4, False),
    ],
)
def test_a_call_is_tried_again_up_to_three_times(
    fake: FakeWaveSpeed, receiver: RawServer, statuses: list[int], tries: list[int | None], arrived: bool
) -> None:
    receiver.responses = [http(status, b"") if status else b"" for status in statuses]
    with fake.client() as ws:
        ws.submit(MODEL, webhook=receiver.url)
    (delivery,) = fake.wait_for_deliveries()
    assert (delivery.statuses, delivery.arrived) == (tries, arrived)
    assert len({(call.body, call.headers["webhook-id"]) for call in receiver.requests}) == 1


@pytest.mark.parametrize("url", ["https://example.com/hook", "http://10.0.0.1/hook", "urn:nowhere"])
def test_a_webhook_on_another_machine_is_not_called_but_its_call_can_be_read(fake: FakeWaveSpeed, url: str) -> None:
    with fake.client() as ws:
        task = ws.submit(MODEL, {"webhook_url": url})
    (delivery,) = fake.wait_for_deliveries()
    assert (delivery.statuses, delivery.arrived) == ([], False)
    assert Webhook(fake.webhook_secret).parse(delivery.body, delivery.headers).id == task.id


def test_an_address_that_cannot_be_called_ends_the_delivery(fake: FakeWaveSpeed) -> None:
    with httpx.Client(base_url=fake.url, headers={"Authorization": "Bearer test-key"}, trust_env=False) as http:
        body = b'{"webhook_url": "http://localhost:1/\\ud800"}'
        http.post(f"/api/v3/{MODEL}", content=body, headers={"Content-Type": "application/json"})
    assert not fake.wait_for_deliveries()[0].arrived


def test_a_task_that_never_ends_is_not_reported(fake: FakeWaveSpeed, receiver: RawServer) -> None:
    fake.script(MODEL, "created", "processing")
    with fake.client() as ws:
        ws.submit(MODEL, webhook=receiver.url)
        assert ws.get(fake.tasks[0]).status == "processing"
    assert fake.wait_for_deliveries() == []


def test_a_wait_for_calls_that_do_not_arrive_ends(fake: FakeWaveSpeed) -> None:
    fake.deliveries.append(deliveries.Delivery("http://127.0.0.1:1/", {}, b""))
    with pytest.raises(TimeoutError, match="after 0 seconds"):
        fake.wait_for_deliveries(0)


def test_stop_gives_up_calls_that_do_not_arrive(receiver: RawServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deliveries, "PAUSES", (600.0,))
    receiver.responses = [http(500, b"")]
    with FakeWaveSpeed() as fake, fake.client() as ws:
        ws.submit(MODEL, webhook=receiver.url)
    (delivery,) = fake.wait_for_deliveries(0)
    assert not delivery.arrived


def test_a_courier_that_has_stopped_tries_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    """This includes deliveries that `reset` has dropped from the list: they would reach the next test's server."""
    monkeypatch.setattr(deliveries, "PAUSES", (0.0, 0.0, 0.0))
    called, goes_on = threading.Event(), threading.Event()

    def refuse(request: RawRequest) -> Iterator[bytes]:
        called.set()
        goes_on.wait(20)
        yield http(500, b"")

    courier = deliveries.Courier()
    with serving(refuse) as server:
        delivery = deliveries.Delivery(server.url, {}, b"{}")
        courier.send(delivery)
        assert called.wait(20)
        courier.stop()
        goes_on.set()
        assert delivery.has_ended.wait(20)
        assert len(server.requests) == 1
    assert delivery.statuses == [500]
