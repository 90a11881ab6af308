"""A response belongs to its question, whatever a server or proxy leaves on a kept connection."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from tests.conftest import Connect, every_engine, http
from wavespeed_client import APIConnectionError, APIError, SubmissionUncertainError
from wavespeed_client.transport import identity
from wavespeed_client.transport.identity import Received

pytestmark = pytest.mark.promise("identity")

engine = every_engine


class SpareServer:
    """Keeps connections. A submission's task is named after its tag; what else is sent is said by `spare`.

    Attributes:
        spare: "twice" sends each response twice, "byte" one byte more, "late" sends the response before once more when
            the next request has come.
        taken: The tags of all submissions, in order.
    """

    def __init__(self, spare: str) -> None:
        self.spare = spare
        self.taken: list[str] = []
        self.connections = 0
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:  # closed
                return
            self.connections += 1
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        before = b""
        with connection, connection.makefile("rb") as stream:
            while first := stream.readline():
                lines = list(iter(stream.readline, b"\r\n"))
                length = next((int(line[15:]) for line in lines if line.lower().startswith(b"content-length:")), 0)
                response = self._response(first.split()[1].decode(), stream.read(length))
                late = before if self.spare == "late" else b""
                more = {"twice": response, "byte": b"x"}.get(self.spare, b"")
                try:
                    connection.sendall(late + response + more)
                except OSError:
                    return
                before = response

    def _response(self, path: str, body: bytes) -> bytes:
        if body:
            task = json.loads(body)["tag"]
            self.taken.append(task)
        else:
            task = path.split("/")[4]
        if task.startswith("refused"):
            status = int(task.split("-")[1])
            said = json.dumps({"code": status, "message": "No."}).encode()
            return http(status, said).replace(b"Connection: close\r\n", b"")
        data = {"id": task, "status": "completed", "outputs": [f"https://example.com/{task}"]}
        whole = json.dumps({"code": 200, "message": "success", "data": data}).encode()
        return http(200, whole).replace(b"Connection: close\r\n", b"")

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join()


@pytest.fixture
def spare_server(request: pytest.FixtureRequest) -> Iterator[SpareServer]:
    server = SpareServer(request.param)
    yield server
    server.close()


both_at_once = pytest.mark.parametrize("spare_server", ["twice", "byte"], indirect=True)
late = pytest.mark.parametrize("spare_server", ["late"], indirect=True)


def outcome(call: Any) -> Any:
    try:
        return call().id
    except (SubmissionUncertainError, APIConnectionError) as error:
        return type(error)


@both_at_once
def test_spare_bytes_answer_no_other_request(connect: Connect, spare_server: SpareServer, engine: str) -> None:
    ws = connect(base_url=spare_server.url)
    tags = [f"task-{number}" for number in range(6)]
    told = [outcome(lambda tag=tag: ws.submit("a/b", {"tag": tag})) for tag in tags]
    # aiohttp refuses a response with a byte too many altogether.
    refused = engine == "aiohttp" and spare_server.spare == "byte"
    assert told == ([SubmissionUncertainError] * 6 if refused else tags)
    assert spare_server.taken == tags
    assert spare_server.connections == 6


@late
def test_a_late_response_is_not_taken_for_the_next_submissions(connect: Connect, spare_server: SpareServer) -> None:
    ws = connect(base_url=spare_server.url)
    tags = [f"task-{number}" for number in range(6)]
    told = [outcome(lambda tag=tag: ws.submit("a/b", {"tag": tag})) for tag in tags]
    # The connection is dropped with the response that does not belong, so the one after has a good one.
    assert told == [SubmissionUncertainError if number % 2 else tag for number, tag in enumerate(tags)]
    assert spare_server.taken == tags


@late
def test_a_response_about_another_task_is_asked_for_again(connect: Connect, spare_server: SpareServer) -> None:
    ws = connect(base_url=spare_server.url, max_retries=1)
    assert [ws.get(tag).id for tag in ("a", "b", "c", "b")] == ["a", "b", "c", "b"]


@late
def test_without_retries_a_response_about_another_task_is_an_error(connect: Connect, spare_server: SpareServer) -> None:
    ws = connect(base_url=spare_server.url, max_retries=0)
    assert ws.get("a").id == "a"
    with pytest.raises(APIConnectionError, match="about another task, a"):
        ws.get("b")


@late
@pytest.mark.parametrize("status", [400, 404, 429])
def test_a_late_refusal_is_not_taken_for_the_next_submissions(
    connect: Connect, spare_server: SpareServer, status: int
) -> None:
    ws = connect(base_url=spare_server.url, max_retries=0)
    for number in range(3):
        with pytest.raises(APIError):
            ws.submit("a/b", {"tag": f"refused-{status}-{number}"})
    assert ws.submit("a/b", {"tag": "task"}).id == "task"
    assert len(spare_server.taken) == spare_server.connections == 4


@both_at_once
def test_a_batch_hands_out_each_picture_once(connect: Connect, spare_server: SpareServer) -> None:
    inputs = [{"tag": f"task-{number}"} for number in range(12)]
    outcomes = connect(base_url=spare_server.url).run_many("a/b", inputs, max_in_flight=3)
    assert len(outcomes) == 12
    assert all(outcome.uncertain or outcome.task.id == outcome.input["tag"] for outcome in outcomes)
    assert sorted(spare_server.taken) == sorted(given["tag"] for given in inputs)


def test_ids_are_remembered_within_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(identity, "REMEMBERED", 100)
    received = Received()
    assert all(received.add(str(number)) for number in range(1000))
    assert not received.add("999")
    assert received.add("0")
    assert len(received._ids) <= 101
