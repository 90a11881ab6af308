"""The stand-in, controlled over HTTP: what each request does to a client, and which requests are refused."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest
from ruamel.yaml import YAML

from wavespeed_client import (
    APIError,
    BadRequestError,
    NotFoundError,
    RateLimitError,
    SubmissionUncertainError,
    TaskFailedError,
    UnexpectedResponseError,
)
from wavespeed_client.catalogue.schema import facts_of
from wavespeed_client.testing import FakeWaveSpeed
from wavespeed_client.testing.contract import Contract
from wavespeed_client.testing.control import ACTIONS
from wavespeed_client.testing.wire import Request, Response
from wavespeed_client.typed.lock import Lock

MODEL = "wavespeed-ai/flux-dev"
DOCUMENT = YAML(typ="safe").load(Path("spec/stand-in.yaml"))
EXAMPLES = {
    name: DOCUMENT["paths"][f"/_stand-in/{name}"]["post"]["requestBody"]["content"]["application/json"]["example"]
    for name in ACTIONS
}

Post = Callable[..., httpx.Response]


@pytest.fixture
def http(fake: FakeWaveSpeed) -> Iterator[httpx.Client]:
    """A client without this package. Its exchanges are checked against the document of the control requests."""
    contract = Contract(DOCUMENT)

    def check(response: httpx.Response) -> None:
        response.read()
        sent = response.request
        request = Request(sent.method, sent.url.raw_path.decode(), dict(sent.headers), sent.read())
        if response.is_success:
            contract.check_request(request)
        contract.check_response(request, Response(response.status_code, response.content, "application/json"))

    with httpx.Client(base_url=f"{fake.url}/_stand-in/", trust_env=False, event_hooks={"response": [check]}) as client:
        yield client


def test_a_refusal_reaches_the_client_and_nothing_is_recorded(http: httpx.Client, fake: FakeWaveSpeed) -> None:
    assert http.post("refuse", json={"status": 429, "times": 2, "message": "Slow down."}).json() == {"ok": True}
    assert (fake.requests, fake.violations) == ([], [])
    with fake.client() as ws, pytest.raises(RateLimitError, match=r"Slow down\."):
        ws.run(MODEL, {"prompt": "a cat"}, timeout=0)
    assert len(fake.requests) == 1


def test_a_dropped_response_is_an_uncertain_submission(http: httpx.Client, fake: FakeWaveSpeed) -> None:
    http.post("drop", json={})
    with fake.client() as ws, pytest.raises(SubmissionUncertainError):
        ws.submit(MODEL, {"prompt": "a cat"})
    assert len(http.get("state").json()["tasks"]) == 1


def test_a_model_can_fail_or_follow_a_script(http: httpx.Client, fake: FakeWaveSpeed) -> None:
    http.post("fail", json={"model": MODEL, "error": "Not this.", "code": 1200})
    http.post("script", json={"model": "a/b", "statuses": ["completed"], "outputs": ["text", {"seed": 1}]})
    with fake.client() as ws:
        with pytest.raises(TaskFailedError) as caught:
            ws.run(MODEL, {"prompt": "a cat"})
        assert ws.submit("a/b").outputs == ("text", {"seed": 1})
    assert (caught.value.task.error, caught.value.task.code) == ("Not this.", 1200)


def test_a_raw_response_is_sent_as_it_is(http: httpx.Client, fake: FakeWaveSpeed) -> None:
    http.post("raw", json={"status": 200, "body": "<html>ö", "content_type": "text/html", "on": "balance"})
    with fake.client() as ws, pytest.raises(UnexpectedResponseError, match="ö"):
        ws.balance()


def test_an_arranged_delay_can_be_ended(http: httpx.Client, fake: FakeWaveSpeed) -> None:
    http.post("delay", json={"seconds": 600})
    http.post("delay", json={"seconds": 0, "on": "balance"})
    with fake.client() as ws:
        assert ws.balance() == 100.0


def test_reset_forgets_everything(http: httpx.Client, fake: FakeWaveSpeed) -> None:
    with fake.client() as ws:
        ws.submit(MODEL, {"prompt": "a cat"})
    assert http.post("reset", json={}).is_success
    assert http.get("state").json() == {"requests": [], "tasks": [], "violations": [], "deliveries": []}


def test_the_state_shows_what_came_without_the_key(http: httpx.Client, fake: FakeWaveSpeed) -> None:
    with fake.client() as ws:
        ws.submit(MODEL, {"prompt": "a cat"}, webhook="https://example.com/hook")
        ws.balance()
    state = http.get("state").json()
    assert [(one["method"], one["target"].partition("?")[0], one["status"]) for one in state["requests"]] == [
        ("POST", f"/api/v3/{MODEL}", 200),
        ("GET", "/api/v3/balance", 200),
    ]
    assert json.loads(state["requests"][0]["body"]) == {"prompt": "a cat"}
    assert fake.api_key not in json.dumps(state)
    assert [(task["status"], task["inputs"]) for task in state["tasks"]] == [("completed", {"prompt": "a cat"})]
    assert [one["url"] for one in state["deliveries"]] == ["https://example.com/hook"]
    assert http.get("deliveries").json() == state["deliveries"]
    assert [one["target"] for one in http.get("state?last=1").json()["requests"]] == ["/api/v3/balance"]


def test_large_and_binary_bodies_are_shown_in_part(http: httpx.Client, fake: FakeWaveSpeed, tmp_path: Path) -> None:
    file = tmp_path / "a.bin"
    file.write_bytes(b"\xff" * 1_000_000)
    with fake.client() as ws:
        ws.upload(file)
    assert max(len(one["body"]) for one in http.get("state").json()["requests"]) == 10_000


def test_models_can_be_loaded(contract: Contract, tmp_path: Path) -> None:
    lock = tmp_path / "models.lock.json"
    lock.write_text(Lock({"a/b": facts_of({"properties": {"size": {"enum": ["small"]}}}) or {}}).text())
    with FakeWaveSpeed(contract=contract) as fake, fake.client() as ws:
        control = partial(httpx.post, f"{fake.url}/_stand-in/load", trust_env=False)
        assert control(json={"lock": str(lock), "only": True}).json() == {"ok": True}
        with pytest.raises(BadRequestError, match="size 'large' is not one of"):
            ws.submit("a/b", {"size": "large"})
        with pytest.raises(NotFoundError):
            ws.submit(MODEL, {"prompt": "a cat"})
        assert control(json={"lock": str(lock)}).json() == {"ok": True}
        ws.submit(MODEL, {"prompt": "a cat"})
        state = httpx.get(f"{fake.url}/_stand-in/state", trust_env=False).json()
    violations = [violation.partition(":")[0] for violation in state["violations"]]
    assert violations == ["POST /api/v3/a/b", f"POST /api/v3/{MODEL}"]


@pytest.mark.parametrize("name", ACTIONS)
def test_the_documents_examples_are_accepted(
    contract: Contract, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path(EXAMPLES["load"]["lock"]).write_text(Lock({}).text())
    with FakeWaveSpeed(contract=contract) as fake:
        done = httpx.post(f"{fake.url}/_stand-in/{name}", json=EXAMPLES[name], trust_env=False)
    assert done.json() == {"ok": True}


WRONG: list[tuple[str, Any, str]] = [
    ("script", {}, "missing a required argument: 'model'. Arguments: model, statuses, outputs."),
    ("script", {"model": MODEL, "statuses": "completed"}, "statuses must be a list"),
    ("script", {"model": MODEL, "statuses": []}, "at least one status"),
    ("script", {"model": MODEL, "statuses": [1]}, "at least one status"),
    ("script", {"model": "x", "statuses": ["completed"]}, "A model id is"),
    ("script", {"model": MODEL, "statuses": ["completed"], "outputs": 5}, "outputs must be a list"),
    ("script", {"model": MODEL, "statuses": ["completed"], "outputs": [5]}, "outputs must be a list"),
    ("load", {}, "missing a required argument: 'lock'. Arguments: lock, only."),
    ("load", {"lock": 5}, "lock must be the path of a lock"),
    ("load", {"lock": "none.lock.json"}, "none.lock.json does not exist"),
    ("load", {"lock": "."}, "cannot be read"),
    ("load", {"lock": "none.lock.json", "only": "yes"}, "only must be True or False"),
    ("fail", {"model": MODEL}, "missing a required argument: 'error'"),
    ("fail", {"model": MODEL, "error": 5}, "error must be a string"),
    ("fail", {"model": MODEL, "error": "No", "code": "x"}, "code must be a whole number"),
    ("refuse", {"status": 200}, "status must be an HTTP status from 400"),
    ("refuse", {"status": "429"}, "status must be an HTTP status"),
    ("refuse", {"status": 429, "times": 0}, "times must be a whole number"),
    ("refuse", {"status": 429, "times": True}, "times must be a whole number"),
    ("refuse", {"status": 429, "on": "nothing"}, "'nothing' is not a kind of request"),
    ("refuse", {"status": 429, "on": ["submit"]}, "not a kind of request"),
    ("refuse", {"status": 429, "message": {}}, "message must be a string"),
    ("refuse", {"status": 429, "retry_after": -1}, "retry_after must be a whole number"),
    ("refuse", {"status": 429, "color": "red"}, "unexpected keyword argument 'color'"),
    ("drop", {"times": 1.5}, "times must be a whole number"),
    ("delay", {"seconds": "1"}, "seconds must be a number"),
    ("delay", {"seconds": -1}, "seconds must be a number"),
    ("raw", {"status": 200, "body": {}}, "body must be a string"),
    ("raw", {"status": 99, "body": ""}, "status must be an HTTP status"),
    ("raw", {"status": 200, "body": "", "content_type": 1}, "content_type must be a string"),
    ("raw", {"status": 200, "body": "", "content_type": "a\nb: c"}, "content_type must be printable ASCII"),
    ("raw", {"status": 200, "body": "", "content_type": "\u20ac"}, "content_type must be printable ASCII"),
    ("reset", {"all": True}, "Arguments: none."),
]


@pytest.mark.parametrize(("name", "arguments", "message"), WRONG)
def test_a_wrong_argument_is_named_and_changes_nothing(
    http: httpx.Client, fake: FakeWaveSpeed, name: str, arguments: Any, message: str
) -> None:
    response = http.post(name, json=arguments)
    assert response.status_code == 400
    assert message in response.json()["error"]
    with fake.client() as ws:
        assert ws.run(MODEL, {"prompt": "a cat"}).succeeded


@pytest.mark.parametrize("last", ["0", "-1", "x", "", "9" * 5000, "²"])
def test_an_odd_number_of_records_is_refused(http: httpx.Client, last: str) -> None:
    assert http.get("state", params={"last": last}).status_code == 400


NOT_JSON: list[tuple[int, dict[str, str], bytes]] = [
    (415, {}, b"status=429"),
    (415, {"Content-Type": "text/plain"}, b'{"status": 429}'),
    (415, {"Content-Type": "application/x-www-form-urlencoded"}, b'{"status": 429}'),
    (400, {"Content-Type": "application/json"}, b"{"),
    (400, {"Content-Type": "application/json"}, b"\xff"),
    (400, {"Content-Type": "application/json"}, b"[" * 100_000),
    (400, {"Content-Type": "application/json"}, b"[429]"),
]


@pytest.mark.parametrize(("status", "headers", "body"), NOT_JSON)
def test_only_a_json_object_is_accepted(http: httpx.Client, status: int, headers: dict[str, str], body: bytes) -> None:
    response = http.post("refuse", content=body, headers=headers)
    assert (response.status_code, list(response.json())) == (status, ["error"])


FOREIGN = [
    {"Origin": "null"},
    {"Origin": "https://example.com"},
    {"Origin": "http://127.0.0.1:1"},
    {"Host": "example.com"},
    {"Host": "example.com:80"},
    {"Host": "127.0.0.1.example.com"},
    {"Host": "[::1"},
    {"Host": "127.0.0.1@example.com"},
    {"Host": "example.com@127.0.0.1"},
    {"Host": "127.0.0.1/@example.com"},
    {"Host": "127.0.0.1:x"},
]


@pytest.mark.parametrize("headers", FOREIGN)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_requests_from_other_sites_or_for_other_host_names_are_refused(
    fake: FakeWaveSpeed, http: httpx.Client, method: str, headers: dict[str, str]
) -> None:
    path = "state" if method == "GET" else "reset"
    response = http.request(method, path, headers=headers, json={} if method == "POST" else None)
    assert response.status_code == 403
    assert fake.violations == []


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:1", "[::1]:80", "127.0.0.1"])
def test_host_names_of_this_machine_are_accepted(http: httpx.Client, host: str) -> None:
    assert http.get("state", headers={"Host": host, "Origin": f"http://{host}"}).status_code == 200


def test_an_allowed_host_name_is_accepted_and_shown() -> None:
    with FakeWaveSpeed(allow_hosts=["Stand-In"]) as fake:
        with fake.client() as ws:
            assert str(ws.submit(MODEL, {"prompt": "a cat"}).url).startswith("http://Stand-In:")
        response = httpx.get(f"{fake.url}/_stand-in/state", headers={"Host": "stand-in:8080"}, trust_env=False)
    assert response.status_code == 200


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "reset", 405), ("POST", "state", 405), ("DELETE", "", 405), ("POST", "nothing", 404), ("GET", "x/y", 404)],
)
def test_other_methods_and_paths_are_refused(fake: FakeWaveSpeed, method: str, path: str, status: int) -> None:
    response = httpx.request(method, f"{fake.url}/_stand-in/{path}", json={}, trust_env=False)
    assert response.status_code == status
    assert "error" in response.json()
    assert (fake.requests, fake.violations) == ([], [])


def test_a_refusal_can_be_arranged_any_number_of_times(http: httpx.Client, fake: FakeWaveSpeed) -> None:
    http.post("refuse", json={"status": 402, "times": 2, "on": "balance"})
    http.post("refuse", json={"status": 403, "times": 10**30, "on": "balance"})
    statuses: list[int | None] = []
    with fake.client() as ws:
        for _ in range(4):
            with pytest.raises(APIError) as caught:
                ws.balance()
            statuses.append(caught.value.status_code)
    assert statuses == [402, 402, 403, 403]


def test_json_that_only_python_reads_is_refused(http: httpx.Client, fake: FakeWaveSpeed) -> None:
    body = b'{"model": "a/b", "statuses": ["completed"], "outputs": [{"seed": NaN}]}'
    response = http.post("script", content=body, headers={"Content-Type": "application/json"})
    assert (response.status_code, response.json()) == (400, {"error": "the body is not JSON (NaN is not JSON)"})


def test_a_browsers_visit_is_no_violation(fake: FakeWaveSpeed) -> None:
    without_slash = httpx.get(f"{fake.url}/_stand-in", trust_env=False)
    assert (without_slash.status_code, without_slash.headers["Location"]) == (308, "/_stand-in/")
    page = httpx.get(f"{fake.url}/_stand-in/", trust_env=False)
    icon = httpx.get(f"{fake.url}/favicon.ico", trust_env=False)
    assert (page.status_code, icon.status_code) == (200, 204)
    assert "default-src 'none'" in page.headers["Content-Security-Policy"]
    assert "http://" not in page.text.replace('"http://"', "")
    assert "https://" not in page.text
    assert (fake.requests, fake.violations) == ([], [])


def test_the_document_has_each_action_and_no_other() -> None:
    posts = {path.removeprefix("/_stand-in/") for path, item in DOCUMENT["paths"].items() if "post" in item}
    assert posts == set(ACTIONS)
