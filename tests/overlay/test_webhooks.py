"""Webhooks: vectors made with openssl, everything that must be refused, and a receiver that is really called."""

import copy
import json
import pickle
import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tests.conftest import ROOT, Driven
from wavespeed_client import ConfigurationError, InvalidInputError, Task, Webhook, WebhookVerificationError

pytestmark = pytest.mark.promise("webhook")

VECTOR: dict[str, Any] = json.loads((ROOT / "tests" / "data" / "webhooks.json").read_text())
SECRET: str = VECTOR["secret"]
BODY: bytes = VECTOR["body"].encode()


@pytest.fixture(autouse=True)
def at_the_vectors_time(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if "receiver" not in request.fixturenames:
        monkeypatch.setattr(time, "time", lambda: VECTOR["timestamp"] + 60.0)


def headers(signature: str = f"v3,{VECTOR['good']}", **changed: str) -> dict[str, str]:
    values = {"id": VECTOR["id"], "timestamp": str(VECTOR["timestamp"]), "signature": signature, **changed}
    return {f"webhook-{name}": value for name, value in values.items()}


def test_the_test_vector_is_accepted_and_reproduced() -> None:
    hook = Webhook(SECRET)
    hook.verify(BODY, headers())
    assert hook.sign(BODY, id=VECTOR["id"], timestamp=VECTOR["timestamp"]) == headers()
    task = hook.parse(BODY, headers())
    assert (task.id, task.status, task.outputs) == ("task-1", "completed", ("https://example.com/1.png",))
    assert task.raw == json.loads(BODY)


def test_header_names_may_have_any_case_and_bodies_any_bytes_type() -> None:
    for change in (str.upper, str.title):
        Webhook(SECRET).verify(BODY, {change(name): value for name, value in headers().items()})
    Webhook(SECRET).verify(bytearray(BODY), httpx.Headers(headers()))
    Webhook(SECRET).verify(memoryview(BODY), headers())


def test_several_signatures_and_several_secrets_are_for_rotation() -> None:
    Webhook(SECRET).verify(BODY, headers(f"v1,abc v3,{'0' * 64} v3,{VECTOR['good']}"))
    Webhook(["whsec_other", SECRET]).verify(BODY, headers())
    assert Webhook(["whsec_other", SECRET]).sign(BODY, id="a") == Webhook("other").sign(BODY, id="a")
    Webhook(SECRET.removeprefix("whsec_")).verify(BODY, headers())


@pytest.mark.parametrize(
    "signature",
    [
        f"v3,{VECTOR['with_prefix']}",
        f"v3,{VECTOR['base64_decoded']}",
        f"v3,{VECTOR['good'].upper()}",
        f"v1,{VECTOR['good']}",
        VECTOR["good"],
        f"v3,{VECTOR['good'][:-1]}",
        f"v3, {VECTOR['good']}",
        "v3,",
        "v3,\u00e4\u00f6",
        "\ud800",
    ],
)
def test_wrong_signatures_are_refused(signature: str) -> None:
    with pytest.raises(WebhookVerificationError, match="signature does not fit"):
        Webhook(SECRET).verify(BODY, headers(signature))


@pytest.mark.parametrize(
    ("body", "changed"),
    [
        (BODY.replace(b"task-1", b"task-2"), {}),
        (BODY + b"\n", {}),
        (b"", {}),
        (BODY, {"id": "msg_other"}),
        (BODY, {"timestamp": str(VECTOR["timestamp"] + 1)}),
    ],
)
def test_a_call_that_was_changed_on_the_way_is_refused(body: bytes, changed: dict[str, str]) -> None:
    with pytest.raises(WebhookVerificationError, match="signature does not fit"):
        Webhook(SECRET).verify(body, headers(**changed))


@pytest.mark.parametrize("off", [301, -301, 10**6])
def test_old_and_future_calls_are_refused(monkeypatch: pytest.MonkeyPatch, off: int) -> None:
    monkeypatch.setattr(time, "time", lambda: VECTOR["timestamp"] + off)
    with pytest.raises(WebhookVerificationError, match="too far from now"):
        Webhook(SECRET).verify(BODY, headers())
    Webhook(SECRET, tolerance=10**7).verify(BODY, headers())


@pytest.mark.parametrize("off", [300, -300, 0])
def test_calls_within_five_minutes_are_accepted(monkeypatch: pytest.MonkeyPatch, off: int) -> None:
    monkeypatch.setattr(time, "time", lambda: VECTOR["timestamp"] + off)
    Webhook(SECRET).verify(BODY, headers())


@pytest.mark.parametrize("timestamp", ["nan", "inf", "-1", "1e9", " 1", "1.5", "\u0661", "9" * 13, "0x1"])
def test_invalid_timestamps_are_refused(timestamp: str) -> None:
    with pytest.raises(WebhookVerificationError, match="not a number of seconds"):
        Webhook(SECRET).verify(BODY, headers(timestamp=timestamp))


@pytest.mark.parametrize("name", ["webhook-id", "webhook-timestamp", "webhook-signature"])
def test_missing_and_doubled_headers_are_refused(name: str) -> None:
    values = headers()
    value = values.pop(name)
    for wrong in (values, {**values, name: ""}, {**values, name: value, name.upper(): value}):
        with pytest.raises(WebhookVerificationError, match=f"must have the header {name} exactly once"):
            Webhook(SECRET).verify(BODY, wrong)


@pytest.mark.parametrize("odd", [None, [("webhook-id", "a")], {"webhook-id": ["a"]}, {"webhook-id": b"a"}, {5: "a"}])
def test_headers_of_another_kind_are_refused(odd: Any) -> None:
    with pytest.raises(WebhookVerificationError):
        Webhook(SECRET).verify(BODY, odd)


def test_a_decoded_body_is_refused_with_the_reason() -> None:
    with pytest.raises(InvalidInputError, match="bytes as they came"):
        Webhook(SECRET).verify(BODY.decode(), headers())  # type: ignore[arg-type]
    with pytest.raises(InvalidInputError, match="bytes as they came"):
        Webhook(SECRET).sign(BODY.decode(), id="msg_1")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "prompt", [b"caf\xe9", b"a\nb\x00", b"\xed\xa0\x80", b'", "seed": ' + b"9" * 5000 + b', "style": "']
)
@pytest.mark.parametrize("after", [b"", b"\n<!-- sent by a gateway -->"])
def test_an_odd_body_does_not_lose_its_task(prompt: bytes, after: bytes) -> None:
    """Like a response, it may repeat an input that is not strict JSON."""
    body = b'{"id": "abc", "status": "completed", "input": {"prompt": "' + prompt + b'"}}' + after
    hook = Webhook(SECRET)
    task = hook.parse(body, hook.sign(body, id="msg_1"))
    assert (task.id, task.status) == ("abc", "completed")


@pytest.mark.parametrize("body", [b"", b"[]", b"null", b"{}", b'{"id": 5}', b'{"id": "a/b"}', b"\xff", b"[" * 100_000])
def test_a_signed_body_without_a_task_is_refused(body: bytes) -> None:
    hook = Webhook(SECRET)
    with pytest.raises(WebhookVerificationError, match="holds no task"):
        hook.parse(body, hook.sign(body, id="a"))


@pytest.mark.parametrize(
    "secret", ["", "whsec_", "a b", "schl\u00fcssel", "a\n", [], [""], ["a", 5], 5 * ["whsec_"], 5]
)
def test_invalid_secrets_are_refused(secret: Any) -> None:
    with pytest.raises(ConfigurationError, match="secret"):
        Webhook(secret)


@pytest.mark.parametrize("tolerance", [-1, float("nan"), float("inf"), "300"])
def test_invalid_tolerances_are_refused(tolerance: Any) -> None:
    with pytest.raises(ConfigurationError, match="tolerance"):
        Webhook(SECRET, tolerance=tolerance)


@pytest.mark.parametrize("id", ["", "a b", "a\n", "\u00e4"])
def test_ids_that_no_header_can_hold_are_refused(id: str) -> None:
    with pytest.raises(InvalidInputError, match="id"):
        Webhook(SECRET).sign(BODY, id=id)


@pytest.mark.parametrize("timestamp", ["1700000000", 1.5, float("nan")])
def test_timestamps_that_are_no_whole_numbers_are_refused(timestamp: Any) -> None:
    with pytest.raises(InvalidInputError, match="whole number"):
        Webhook(SECRET).sign(BODY, id="a", timestamp=timestamp)


def test_the_secret_comes_from_the_environment_and_shows_nowhere(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ConfigurationError, match="WAVESPEED_WEBHOOK_SECRET"):
        Webhook()
    monkeypatch.setenv("WAVESPEED_WEBHOOK_SECRET", SECRET)
    hook = Webhook()
    hook.verify(BODY, headers())
    bare = SECRET.removeprefix("whsec_")
    with pytest.raises(WebhookVerificationError) as caught:
        hook.verify(b"", headers())
    assert not any(bare in shown for shown in (repr(hook), repr(vars(hook)), str(caught.value)))
    assert bare.encode() not in pickle.dumps(caught.value)
    for copied in (pickle.dumps, copy.deepcopy):
        with pytest.raises(ConfigurationError):
            copied(hook)


class Receiver:
    """A web application as a user would write it, listening on a free port."""

    def __init__(self) -> None:
        self.tasks: list[Task] = []
        self.hook = Webhook(SECRET)
        app = Starlette(routes=[Route("/hook", self.receive, methods=["POST"])])
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}/hook"
        self.server = uvicorn.Server(uvicorn.Config(app, log_level="error", lifespan="off"))
        self.thread = threading.Thread(target=self.server.run, args=([self._socket],))

    async def receive(self, request: Request) -> Response:
        try:
            self.tasks.append(self.hook.parse(await request.body(), request.headers))
        except WebhookVerificationError:
            return Response(status_code=400)
        return Response(status_code=204)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    receiver = Receiver()
    receiver.thread.start()
    yield receiver
    receiver.server.should_exit = True
    receiver.thread.join()


def test_a_receiver_responds_with_204_to_the_service_and_400_to_others(receiver: Receiver) -> None:
    signed = receiver.hook.sign(BODY, id="msg_1")
    with httpx.Client(trust_env=False) as service:
        assert service.post(receiver.url, content=BODY, headers=signed).status_code == 204
        assert service.post(receiver.url, content=BODY + b" ", headers=signed).status_code == 400
        assert service.post(receiver.url, content=BODY).status_code == 400
        stale = receiver.hook.sign(BODY, id="msg_2", timestamp=VECTOR["timestamp"])
        assert service.post(receiver.url, content=BODY, headers=stale).status_code == 400
    assert [task.id for task in receiver.tasks] == ["task-1"]


def test_webhook_takes_the_accounts_secret(ws: Driven) -> None:
    assert Webhook(ws.webhook_secret()).sign(b"", id="a")["webhook-signature"].startswith("v3,")
