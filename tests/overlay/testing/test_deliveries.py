"""Webhook calls of the stand-in, as the program that is called sees them."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx
import pytest

from wavespeed_client import Webhook
from wavespeed_client.testing import FakeWaveSpeed, deliveries

MODEL = "wavespeed-ai/flux-dev"


class Receiver(ThreadingHTTPServer):
    """A program that is called, and answers with each of these statuses in turn, then with 204."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), ReceiverHandler)
        self.url = f"http://127.0.0.1:{self.server_port}/hook"
        self.statuses: list[int] = []
        self.seen: list[tuple[dict[str, str], bytes]] = []


class ReceiverHandler(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        self.server.seen.append((dict(self.headers), self.rfile.read(int(self.headers["Content-Length"]))))
        status = self.server.statuses.pop(0) if self.server.statuses else 204
        if status:
            self.send_response(status)
            self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        pass


@pytest.fixture
def receiver(monkeypatch: pytest.MonkeyPatch) -> Iterator[Receiver]:
    monkeypatch.setattr(deliveries, "PAUSES", (0.0, 0.0, 0.0))
    with Receiver() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.mark.parametrize("where", ["query", "body"])
def test_a_finished_task_is_told_of_in_a_signed_call(fake: FakeWaveSpeed, receiver: Receiver, where: str) -> None:
    with fake.client() as ws:
        if where == "query":
            task = ws.submit(MODEL, {"prompt": "a cat"}, webhook=receiver.url)
        else:
            task = ws.submit(MODEL, {"prompt": "a cat", "webhook_url": receiver.url})
        (delivery,) = fake.wait_for_deliveries()
        ((headers, body),) = receiver.seen
        told = Webhook(fake.webhook_secret).parse(body, headers)
        assert told == ws.get(task)
    assert (told.id, told.status, task.status) == (task.id, "completed", "created")
    assert headers["Content-Type"] == "application/json"
    assert (delivery.url, delivery.body, delivery.statuses, delivery.arrived) == (receiver.url, body, [204], True)


def test_a_failed_task_is_told_of_too(fake: FakeWaveSpeed, receiver: Receiver) -> None:
    fake.fail(MODEL, error="No.", code=1200)
    with fake.client() as ws:
        ws.submit(MODEL, webhook=receiver.url)
    fake.wait_for_deliveries()
    assert [(json.loads(body)["status"], json.loads(body)["code"]) for _, body in receiver.seen] == [("failed", 1200)]


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
    fake: FakeWaveSpeed, receiver: Receiver, statuses: list[int], tries: list[int | None], arrived: bool
) -> None:
    receiver.statuses = statuses
    with fake.client() as ws:
        ws.submit(MODEL, webhook=receiver.url)
    (delivery,) = fake.wait_for_deliveries()
    assert (delivery.statuses, delivery.arrived) == (tries, arrived)
    assert len({body for _, body in receiver.seen}) == len({headers["webhook-id"] for headers, _ in receiver.seen}) == 1


@pytest.mark.parametrize("url", ["https://example.com/hook", "http://10.0.0.1/hook", "urn:nowhere"])
def test_another_machine_is_not_called_but_the_call_can_be_read(fake: FakeWaveSpeed, url: str) -> None:
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


def test_a_task_that_never_ends_is_not_told_of(fake: FakeWaveSpeed, receiver: Receiver) -> None:
    fake.script(MODEL, "created", "processing")
    with fake.client() as ws:
        ws.submit(MODEL, webhook=receiver.url)
        assert ws.get(fake.tasks[0]).status == "processing"
    assert fake.wait_for_deliveries() == []


def test_a_wait_for_calls_that_do_not_arrive_ends(fake: FakeWaveSpeed) -> None:
    fake.deliveries.append(deliveries.Delivery("http://127.0.0.1:1/", {}, b""))
    with pytest.raises(TimeoutError, match="after 0 seconds"):
        fake.wait_for_deliveries(0)


def test_stop_gives_up_calls_that_do_not_arrive(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deliveries, "PAUSES", (600.0,))
    receiver.statuses = [500]
    with FakeWaveSpeed() as fake, fake.client() as ws:
        ws.submit(MODEL, webhook=receiver.url)
    (delivery,) = fake.wait_for_deliveries(0)
    assert not delivery.arrived
