"""A response belongs to its request, whatever a server or proxy leaves on a kept connection."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from tests.conftest import Connect, every_engine
from tests.servers.raw import TASK, RawRequest, RawServer, envelope, kept, serving
from wavespeed_client import APIConnectionError, APIError, SubmissionUncertainError
from wavespeed_client.transport import identity
from wavespeed_client.transport.identity import Received

pytestmark = pytest.mark.promise("identity")

engine = every_engine


class Spare:
    """A service that names tasks after their tags, and sends extra bytes or responses.

    Attributes:
        kind: "twice" sends each response twice, "byte" one byte more, "late" sends the response before once more when
            the next request has come.
        taken: The tags of all submissions, in order.
    """

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.taken: list[str] = []
        self._before: dict[Any, bytes] = {}

    def __call__(self, request: RawRequest) -> bytes:
        response = self._response(request)
        late = self._before.get(request.connection, b"") if self.kind == "late" else b""
        self._before[request.connection] = response
        return late + response + {"twice": response, "byte": b"x"}.get(self.kind, b"")

    def _response(self, request: RawRequest) -> bytes:
        if request.body:
            task = json.loads(request.body)["tag"]
            self.taken.append(task)
        else:
            task = request.path.split("/")[4]
        if task.startswith("refused"):
            status = int(task.split("-")[1])
            return kept(status, envelope(status))
        data = {"id": task, "status": "completed", "outputs": [f"https://example.com/{task}"]}
        return kept(200, json.dumps({"code": 200, "message": "success", "data": data}).encode())


@pytest.fixture
def spare(request: pytest.FixtureRequest) -> Spare:
    return Spare(request.param)


@pytest.fixture
def server(spare: Spare) -> Iterator[RawServer]:
    with serving(spare, keeps=True) as server:
        yield server


class WhileIdle:
    """A service that accepts each submission, and sends `stray` on the idle connection when `goes_on` is set.

    Attributes:
        stray: The bytes; if they are empty, the connection is closed.
        goes_on, done: Set when to send, and when it is sent.
        taken: The tags of all submissions, in order.
    """

    def __init__(self, stray: bytes) -> None:
        self.stray = stray
        self.goes_on, self.done = threading.Event(), threading.Event()
        self.taken: list[str] = []

    def __call__(self, request: RawRequest) -> Iterator[bytes]:
        task = json.loads(request.body)["tag"]
        self.taken.append(task)
        yield kept(200, json.dumps({"code": 200, "message": "success", "data": {"id": task}}).encode())
        self.goes_on.wait(20)
        if self.stray:
            yield self.stray
        else:
            request.connection.shutdown(socket.SHUT_WR)
        self.done.set()


both_at_once = pytest.mark.parametrize("spare", ["twice", "byte"], indirect=True)
late = pytest.mark.parametrize("spare", ["late"], indirect=True)


def outcome(call: Any) -> Any:
    try:
        return call().id
    except (SubmissionUncertainError, APIConnectionError) as error:
        return type(error)


@both_at_once
def test_extra_bytes_are_not_taken_for_the_response_to_another_request(
    connect: Connect, spare: Spare, server: RawServer, engine: str
) -> None:
    ws = connect(base_url=server.url)
    tags = [f"task-{number}" for number in range(6)]
    found = [outcome(lambda tag=tag: ws.submit("a/b", {"tag": tag})) for tag in tags]
    # aiohttp refuses a response with an extra byte as a whole.
    refused = engine == "aiohttp" and spare.kind == "byte"
    assert found == ([SubmissionUncertainError] * 6 if refused else tags)
    assert spare.taken == tags
    assert server.connections == 6


@late
def test_a_late_response_is_not_taken_for_the_next_submissions(
    connect: Connect, spare: Spare, server: RawServer
) -> None:
    ws = connect(base_url=server.url)
    tags = [f"task-{number}" for number in range(6)]
    found = [outcome(lambda tag=tag: ws.submit("a/b", {"tag": tag})) for tag in tags]
    # The connection is dropped with the foreign response, so the next request has a good one.
    assert found == [SubmissionUncertainError if number % 2 else tag for number, tag in enumerate(tags)]
    assert spare.taken == tags


@pytest.mark.parametrize(
    "stray",
    [kept(429, envelope(429)), kept(400, envelope(400)), kept(408, b""), kept(200, TASK), b"\r\n", b""],
    ids=["429", "400", "408", "another task", "bytes", "end"],
)
def test_bytes_that_come_while_a_connection_is_idle_are_not_taken_for_a_response(
    connect: Connect, stray: bytes
) -> None:
    """This includes bytes that the event loop has not read yet because it was busy."""
    service = WhileIdle(stray)
    with serving(service, keeps=True) as server:
        ws = connect(base_url=server.url, max_retries=2)
        found = [outcome(lambda: ws.submit("a/b", {"tag": "first"}))]
        service.goes_on.set()
        assert service.done.wait(20)
        found.append(outcome(lambda: ws.submit("a/b", {"tag": "second"})))
        assert found == service.taken == ["first", "second"]
        assert server.connections == 2


@late
def test_a_poll_that_returns_another_task_is_repeated(connect: Connect, spare: Spare, server: RawServer) -> None:
    ws = connect(base_url=server.url, max_retries=1)
    assert [ws.get(tag).id for tag in ("a", "b", "c", "b")] == ["a", "b", "c", "b"]


@late
def test_without_retries_a_response_about_another_task_is_an_error(
    connect: Connect, spare: Spare, server: RawServer
) -> None:
    ws = connect(base_url=server.url, max_retries=0)
    assert ws.get("a").id == "a"
    with pytest.raises(APIConnectionError, match="about another task, a"):
        ws.get("b")


@late
@pytest.mark.parametrize("status", [400, 404, 429])
def test_a_late_refusal_is_not_taken_for_the_next_submissions(
    connect: Connect, spare: Spare, server: RawServer, status: int
) -> None:
    ws = connect(base_url=server.url, max_retries=0)
    for number in range(3):
        with pytest.raises(APIError):
            ws.submit("a/b", {"tag": f"refused-{status}-{number}"})
    assert ws.submit("a/b", {"tag": "task"}).id == "task"
    assert len(spare.taken) == server.connections == 4


@both_at_once
def test_a_batch_hands_out_each_picture_once(connect: Connect, spare: Spare, server: RawServer) -> None:
    inputs = [{"tag": f"task-{number}"} for number in range(12)]
    outcomes = connect(base_url=server.url).run_many("a/b", inputs, max_in_flight=3)
    assert len(outcomes) == 12
    assert all(outcome.uncertain or outcome.task.id == outcome.input["tag"] for outcome in outcomes)
    assert sorted(spare.taken) == sorted(given["tag"] for given in inputs)


def test_ids_are_remembered_within_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(identity, "REMEMBERED", 100)
    received = Received()
    assert all(received.add(str(number)) for number in range(1000))
    assert not received.add("999")
    assert received.add("0")
    assert len(received._ids) <= 101
