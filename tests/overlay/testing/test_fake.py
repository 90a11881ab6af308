"""The stand-in, as any HTTP program sees it."""

import asyncio
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from copy import deepcopy
from typing import Any

import httpx
import pytest

from wavespeed_client import AsyncWaveSpeed, ConfigurationError, SubmissionUncertainError, TaskFailedError, WaveSpeed
from wavespeed_client.testing import Contract, FakeWaveSpeed
from wavespeed_client.testing.arrangements import Arrangements
from wavespeed_client.testing.contract import load_document

FLUX = "/api/v3/wavespeed-ai/flux-dev"


@pytest.fixture
def http(fake: FakeWaveSpeed) -> Iterator[httpx.Client]:
    """An HTTP client without this package."""
    key = {"Authorization": f"Bearer {fake.api_key}"}
    with httpx.Client(base_url=fake.url, headers=key, trust_env=False) as client:
        yield client


def submitted(http: httpx.Client, path: str = FLUX, **given: Any) -> dict[str, Any]:
    return http.post(path, json=given).json()["data"]


def polled(http: httpx.Client, task: dict[str, Any]) -> dict[str, Any]:
    return http.get(f"/api/v3/predictions/{task['id']}/result").json()["data"]


def test_a_task_goes_from_created_to_completed_and_its_output_can_be_fetched(http: httpx.Client) -> None:
    task = submitted(http, prompt="a cat")
    assert (task["status"], task["outputs"]) == ("created", [])
    assert [polled(http, task)["status"] for _ in range(3)] == ["processing", "completed", "completed"]
    output = httpx.get(polled(http, task)["outputs"][0], trust_env=False)
    assert (output.status_code, output.headers["Content-Type"]) == (200, "image/jpeg")


def test_in_sync_mode_a_task_has_ended_at_once(http: httpx.Client) -> None:
    assert submitted(http, prompt="a cat", enable_sync_mode=True)["status"] == "completed"


def test_a_script_is_followed_for_its_model_only(http: httpx.Client, fake: FakeWaveSpeed) -> None:
    fake.script("wavespeed-ai/flux-dev", "processing", "completed", outputs=["hello", {"score": 1}])
    task = submitted(http)
    assert [task["status"], polled(http, task)["status"]] == ["processing", "completed"]
    assert polled(http, task)["outputs"] == ["hello", {"score": 1}]
    assert submitted(http, "/api/v3/wavespeed-ai/z-image/turbo")["status"] == "created"


def test_a_failing_task_raises_its_error_in_the_program_under_test(fake: FakeWaveSpeed) -> None:
    fake.fail("wavespeed-ai/flux-dev", error="The prompt was refused.", code=1200)
    with fake.client() as ws, pytest.raises(TaskFailedError, match="The prompt was refused") as caught:
        ws.run("wavespeed-ai/flux-dev", {"prompt": "a cat"})
    assert caught.value.task.code == 1200


@pytest.mark.parametrize(("status", "wait"), [(429, "7"), (503, None)])
def test_refusals_come_as_often_as_arranged(
    http: httpx.Client, fake: FakeWaveSpeed, status: int, wait: str | None
) -> None:
    fake.refuse(status, times=2, on="submit", message="No.", retry_after=None if wait is None else int(wait))
    responses = [http.post(FLUX, json={}) for _ in range(3)]
    assert [response.status_code for response in responses] == [status, status, 200]
    assert responses[0].json() == {"code": status, "message": "No."}
    assert responses[0].headers.get("Retry-After") == wait
    assert len(fake.calls) == 1


def test_a_dropped_response_leaves_a_task_that_runs(fake: FakeWaveSpeed) -> None:
    fake.drop("submit")
    with fake.client() as ws:
        with pytest.raises(SubmissionUncertainError) as caught:
            ws.submit("wavespeed-ai/flux-dev", {"prompt": "a cat"})
        assert [task.id for task in ws.find_submissions(caught.value)] == [task.id for task in fake.tasks]
    assert len(fake.calls) == 1


def test_a_raw_response_is_sent_as_it_is(http: httpx.Client, fake: FakeWaveSpeed) -> None:
    fake.raw(502, b"<html>", "text/html", on="balance")
    response = http.get("/api/v3/balance")
    assert (response.status_code, response.content, response.headers["Content-Type"]) == (502, b"<html>", "text/html")
    assert http.get("/api/v3/balance").json()["data"] == {"balance": 100.0}


def test_arrangements_of_a_kind_are_used_in_order(http: httpx.Client, fake: FakeWaveSpeed) -> None:
    fake.refuse(429)
    fake.drop("submit")
    fake.raw(200, b"{}")
    assert http.post(FLUX, json={}).status_code == 429
    with pytest.raises(httpx.RemoteProtocolError):
        http.post(FLUX, json={})
    assert http.post(FLUX, json={}).content == b"{}"
    assert len(fake.calls) == 1


def test_a_delay_is_kept_until_the_client_gives_up(http: httpx.Client, fake: FakeWaveSpeed) -> None:
    fake.delay(30, on="balance")
    with pytest.raises(httpx.ReadTimeout):
        http.get("/api/v3/balance", timeout=httpx.Timeout(60, read=0.05))
    assert http.get("/api/v3/models", timeout=60).status_code == 200
    fake.delay(0)
    assert http.get("/api/v3/balance", timeout=60).status_code == 200


def test_stop_does_not_wait_for_a_delay(monkeypatch: pytest.MonkeyPatch) -> None:
    taken = threading.Event()
    monkeypatch.setattr(Arrangements, "delay", lambda *_: taken.set() or 600.0)
    with FakeWaveSpeed() as fake:
        connection = socket.create_connection(("127.0.0.1", int(fake.url.rpartition(":")[2])))
        connection.sendall(f"GET /api/v3/balance HTTP/1.1\r\nAuthorization: Bearer {fake.api_key}\r\n\r\n".encode())
        assert taken.wait(60)
    with connection:
        connection.settimeout(60)
        assert connection.makefile("rb").read(12) == b"HTTP/1.1 200"


@pytest.mark.parametrize(
    ("arrange", "problem"),
    [
        (lambda fake: fake.script("a/b"), "at least one status"),
        (lambda fake: fake.script("a/b", ""), "at least one status"),
        (lambda fake: fake.script("a/b", ["completed"]), r"at least one status, .*, not \(\['completed'\],\)"),
        (lambda fake: fake.script("a/b", "completed", outputs="https://example.com"), "list of strings or objects"),
        (lambda fake: fake.refuse(200), "from 400 to 599"),
        (lambda fake: fake.refuse(429, on="polls"), "'polls' is not a kind of request. Use one of: submit, poll"),
        (lambda fake: fake.refuse(429, times=0), "times must be a whole number, 1 or more"),
        (lambda fake: fake.raw(99, b""), "from 200 to 599"),
        (lambda fake: fake.drop("everything"), "not a kind"),
        (lambda fake: fake.refuse("429"), "from 400 to 599"),
        (lambda fake: fake.refuse(429, times="2"), "times must be a whole number"),
        (lambda fake: fake.refuse(429, retry_after="1\r\nX: y"), "retry_after must be a whole number"),
        (lambda fake: fake.refuse(429, retry_after=-1), "retry_after must be a whole number"),
        (lambda fake: fake.raw(200, {"a": 1}), "body must be a string or bytes"),
        (lambda fake: fake.script("flux-dev", "completed"), "provider/model"),
        (lambda fake: fake.fail("flux-dev", error="No."), "provider/model"),
        (lambda fake: fake.delay("1"), "seconds must be a number"),
        (lambda fake: fake.delay(float("inf")), "seconds must be a number"),
        (lambda fake: fake.delay(-1), "0 or more"),
        (lambda fake: fake.delay(float("nan")), "0 or more"),
        (lambda fake: fake.delay(1, on="nothing"), "not a kind"),
    ],
)
def test_an_arrangement_that_cannot_be_is_refused(fake: FakeWaveSpeed, arrange: Any, problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        arrange(fake)


def test_calls_tasks_and_requests_show_what_came_in(http: httpx.Client, fake: FakeWaveSpeed) -> None:
    http.post(FLUX, json={"prompt": "a cat"}, params={"webhook": "https://example.com/hook"}, headers={"X-Trace": "1"})
    (call,) = fake.calls
    assert (call.model, call.input, call.webhook) == (
        "wavespeed-ai/flux-dev",
        {"prompt": "a cat"},
        "https://example.com/hook",
    )
    assert call.headers["X-Trace"] == "1"
    (task,) = fake.tasks
    assert (task.model, task.status, task.raw["inputs"]) == ("wavespeed-ai/flux-dev", "completed", {"prompt": "a cat"})
    assert fake.api_key not in repr((fake.calls, fake.requests, fake.tasks))


def test_reading_tasks_does_not_advance_them(http: httpx.Client, fake: FakeWaveSpeed) -> None:
    task = submitted(http)
    assert [fake.tasks[0].status for _ in range(3)] == [task["status"]] * 3 == ["created"] * 3
    assert polled(http, task)["status"] == fake.tasks[0].status == "processing"


async def _balance(client: AsyncWaveSpeed) -> float:
    async with client:
        return await client.balance()


def test_both_clients_are_ready_to_use(fake: FakeWaveSpeed) -> None:
    with fake.client() as ws:
        assert isinstance(ws, WaveSpeed)
        assert ws.balance() == 100.0
    assert asyncio.run(_balance(fake.async_client())) == 100.0


def test_concurrent_requests_all_get_a_response_and_are_recorded(fake: FakeWaveSpeed, http: httpx.Client) -> None:
    def one(number: int) -> str:
        return submitted(http, prompt=f"cat {number}")["id"]

    with ThreadPoolExecutor(16) as threads:
        ids = list(threads.map(one, range(200)))
    assert len(set(ids)) == len(fake.calls) == len(fake.tasks) == 200
    assert {call.input["prompt"] for call in fake.calls} == {f"cat {number}" for number in range(200)}


def test_the_stand_in_can_be_started_and_stopped_more_than_once() -> None:
    fake = FakeWaveSpeed()
    fake.stop()
    with pytest.raises(RuntimeError, match="call start"):
        _ = fake.url
    for _ in range(2):
        with fake, fake.client() as ws:
            assert fake.start() is fake
            assert ws.balance() == 100.0


def test_a_port_can_be_chosen_and_a_taken_one_is_refused() -> None:
    with FakeWaveSpeed() as fake, pytest.raises(OSError, match="in use"):
        FakeWaveSpeed(port=int(fake.url.rpartition(":")[2])).start()


def test_a_port_that_is_no_number_is_named() -> None:
    with pytest.raises(ValueError, match="port must be a port from 0 to 65535, not '8080'"):
        FakeWaveSpeed(port="8080")  # type: ignore[arg-type]


def test_the_repr_of_the_stand_in_is_short(http: httpx.Client, fake: FakeWaveSpeed) -> None:
    submitted(http, prompt="a cat")
    assert "violations=[]" in repr(fake)
    assert "a cat" not in repr(fake)


def test_a_raw_body_may_be_text(http: httpx.Client, fake: FakeWaveSpeed) -> None:
    fake.raw(200, "<p>ö", "text/html", on="balance")
    assert http.get("/api/v3/balance").content == "<p>ö".encode()


@pytest.mark.parametrize("wrong", [{"webhook_secret": "whsec_"}, {"api_key": ""}, {"api_key": "k\nX=1"}])
def test_a_secret_that_cannot_be_is_refused(wrong: dict[str, str]) -> None:
    with pytest.raises(ConfigurationError):
        FakeWaveSpeed(**wrong)


def test_requests_can_be_read_after_the_stand_in_has_stopped() -> None:
    with FakeWaveSpeed() as fake, fake.client() as ws:
        task = ws.submit("wavespeed-ai/flux-dev")
    assert fake.tasks == [task]


def test_an_output_can_be_requested_with_head(http: httpx.Client, fake: FakeWaveSpeed) -> None:
    fake.script("wavespeed-ai/flux-dev", "completed")
    response = httpx.head(submitted(http)["outputs"][0], trust_env=False)
    assert (response.status_code, response.content) == (200, b"")


def test_an_uploaded_file_keeps_the_last_part_of_its_name(http: httpx.Client) -> None:
    uploaded = http.post("/api/v3/media/upload/binary", files={"file": ("../a b.png", b"abc")}).json()["data"]
    assert uploaded["filename"] == "a b.png"
    assert httpx.get(uploaded["download_url"], trust_env=False).content == b"abc"


def test_dates_may_be_written_in_lower_case(http: httpx.Client) -> None:
    submitted(http)
    span = {"start_time": "2020-01-01t00:00:00z", "end_time": "2100-06-30T23:59:59Z"}
    used = http.post("/api/v3/user/usage_stats", json=span).json()["data"]
    assert used["summary"]["total_requests"] == 1


def test_credit_models_and_key_can_be_set(contract: Contract) -> None:
    with FakeWaveSpeed("other-key", contract=contract, credit=1.0, models={"a/b"}) as fake, fake.client() as ws:
        assert ws.balance() == 1.0
        assert [model.model_id for model in ws.models()] == ["a/b"]


def test_a_list_has_the_inputs_only_on_request(http: httpx.Client) -> None:
    submitted(http, prompt="a cat")
    cases = [({}, None), ({"include_inputs": False}, None), ({"include_inputs": True}, {"prompt": "a cat"})]
    for more, inputs in cases:
        (task,) = http.post("/api/v3/predictions", json={"page": 1, "page_size": 5, **more}).json()["data"]["items"]
        assert task.get("inputs") == inputs


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        ({}, 2),
        ({"model_uuid": "wavespeed-ai/flux-dev"}, 1),
        ({"model_uuid": "another/model"}, 0),
        ({"access_key_uuid": "0b9e8d7c"}, 2),
        ({"billing_type": "refund"}, 0),
        ({"start_time": "1700000000000", "end_time": "9999999999999999999"}, 2),
        ({"end_time": "1700000000000"}, 0),
        ({"start_time": "2020-01-01T00:00:00Z", "end_time": "2100-01-01t00:00:00+02:00"}, 2),
        ({"start_time": "2020-01-01"}, 2),
        ({"end_time": "2020-01-01T00:00:00.123456789Z"}, 0),
        ({"prediction_uuids": ["another"]}, 0),
    ],
)
def test_bills_can_be_searched_by_every_filter_of_the_service(filters: dict[str, Any], found: int) -> None:
    with FakeWaveSpeed(contract=Contract(with_every_billing_filter())) as fake, fake.client() as ws:
        ws.submit("wavespeed-ai/flux-dev")
        ws.submit("wavespeed-ai/z-image/turbo")
        key = {"Authorization": f"Bearer {fake.api_key}"}
        query = {"page": 1, "page_size": 5, **filters}
        response = httpx.post(f"{fake.url}/api/v3/billings/search", json=query, headers=key, trust_env=False)
    assert len(response.json()["data"]["items"] or []) == found
    assert fake.violations == []


def with_every_billing_filter() -> dict[str, Any]:
    """Return the document with additional filters of bills."""
    document = deepcopy(load_document())
    query = document["components"]["schemas"]["BillingQuery"]
    text = {name: {"type": "string"} for name in ("model_uuid", "access_key_uuid", "start_time", "end_time")}
    query["properties"] |= text
    return document


def test_an_invalid_time_filter_is_refused_with_400() -> None:
    with FakeWaveSpeed(contract=Contract(with_every_billing_filter())) as fake, fake.client() as ws:
        ws.submit("wavespeed-ai/flux-dev")
        key = {"Authorization": f"Bearer {fake.api_key}"}
        query = {"page": 1, "page_size": 5, "start_time": "yesterday"}
        response = httpx.post(f"{fake.url}/api/v3/billings/search", json=query, headers=key, trust_env=False)
    assert (response.status_code, response.json()["code"]) == (400, 400)
    assert "YESTERDAY" in response.json()["message"]
    assert fake.violations == []
