"""What the stand-in refuses, and how: always as JSON, never as HTML, and as a violation that fails the test."""

import json
import socket
from collections.abc import Iterator

import httpx
import pytest

from wavespeed_client.testing import Contract, FakeWaveSpeed, catalogue
from wavespeed_client.testing.service import KINDS

FLUX = "/api/v3/wavespeed-ai/flux-dev"
UNKNOWN = "/api/v3/predictions/0123456789/result"


@pytest.fixture
def offender(running_fake: FakeWaveSpeed) -> Iterator[FakeWaveSpeed]:
    """The stand-in, for tests that cause violations on purpose."""
    running_fake.reset()
    yield running_fake
    running_fake.reset()


@pytest.mark.parametrize(
    ("method", "target", "body", "status", "reason"),
    [
        ("POST", FLUX, b'{"prompt": 1}', 400, "1 is not of type 'string'"),
        ("POST", FLUX, b"{", 400, "not JSON"),
        ("POST", FLUX, b"\xff\xfe", 400, "not JSON"),
        ("POST", FLUX, b'{"cfg": NaN}', 400, "NaN is not JSON"),
        ("POST", FLUX, b'{"x":' + b"[" * 100000 + b"]" * 100000 + b"}", 400, "nested too deep"),
        ("POST", f"{FLUX}?webhook=a:b&webhook=c:d", b"{}", 400, "more than once"),
        ("POST", FLUX, b"", 400, "the body is missing (application/json)"),
        ("POST", f"{FLUX}?webhook=nowhere", b"{}", 400, "'nowhere' is not a 'uri'"),
        ("POST", f"{FLUX}?webhok=http://a/b", b"{}", 400, "unknown query parameter 'webhok' (known: webhook)"),
        ("POST", "/api/v3/api/v3/flux-dev", b"{}", 400, "path parameter 'provider': 'api' does not match"),
        ("GET", "/api/v3/predictions/a.b/result", b"", 400, "path parameter 'prediction_id': 'a.b' does not match"),
        ("POST", "/api/v3/flux-dev", b"{}", 404, "no such path"),
        ("GET", "/", b"", 404, "no such path"),
        ("GET", "/api/v2/balance", b"", 404, "no such path"),
        ("PUT", FLUX, b"{}", 405, "only POST"),
        ("DELETE", "/api/v3/predictions/0123456789", b"", 405, "only GET"),
        ("DELETE", "/media/1/2", b"", 405, "only PUT, GET"),
    ],
)
def test_a_request_outside_the_contract_is_refused_in_json_and_is_a_violation(
    offender: FakeWaveSpeed, method: str, target: str, body: bytes, status: int, reason: str
) -> None:
    headers = {"Authorization": f"Bearer {offender.api_key}", "Content-Type": "application/json"}
    response = httpx.request(method, offender.url + target, content=body, headers=headers, trust_env=False)
    assert response.status_code == response.json()["code"] == status
    assert response.headers["Content-Type"] == "application/json"
    assert (status == 405) == ("Allow" in response.headers)
    (violation,) = offender.violations
    assert reason in violation
    assert offender.calls == []


@pytest.mark.parametrize("key", [None, "test-key", "Bearer other-key", "Basic test-key", "Bearer"])
def test_a_wrong_key_is_refused_without_being_a_violation(fake: FakeWaveSpeed, key: str | None) -> None:
    headers = {} if key is None else {"Authorization": key}
    response = httpx.post(fake.url + FLUX, json={}, headers=headers, trust_env=False)
    assert (response.status_code, response.json()["code"]) == (401, 401)
    assert fake.calls == []


def test_an_unknown_task_is_not_found(fake: FakeWaveSpeed) -> None:
    response = httpx.get(fake.url + UNKNOWN, headers={"Authorization": "Bearer test-key"}, trust_env=False)
    assert (response.status_code, response.json()["message"]) == (404, "Prediction not found.")


def test_a_refused_request_does_not_use_up_an_arrangement(fake: FakeWaveSpeed) -> None:
    fake.refuse(429)
    assert httpx.post(fake.url + FLUX, json={}, trust_env=False).status_code == 401
    with fake.client() as ws:
        ws.submit("wavespeed-ai/flux-dev")
    assert len(fake.requests) == 3


@pytest.mark.parametrize("sent", [b"\x16\x03\x01\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", b"nonsense\r\n\r\n"])
def test_bytes_that_are_no_http_are_refused_in_json_too(fake: FakeWaveSpeed, sent: bytes) -> None:
    with socket.create_connection(("127.0.0.1", int(fake.url.rpartition(":")[2])), timeout=60) as connection:
        connection.sendall(sent)
        with connection.makefile("rb") as stream:
            response = stream.read()
    assert 400 <= json.loads(response.rpartition(b"\r\n\r\n")[2] or response)["code"] < 600


def test_a_body_that_a_get_does_not_have_is_passed_over(fake: FakeWaveSpeed) -> None:
    headers = {"Authorization": "Bearer test-key"}
    response = httpx.request("GET", f"{fake.url}/api/v3/balance", content=b"abc", headers=headers, trust_env=False)
    assert response.status_code == 200


def test_a_form_whose_file_has_no_name_is_refused(offender: FakeWaveSpeed) -> None:
    headers = {"Authorization": f"Bearer {offender.api_key}"}
    url = f"{offender.url}/api/v3/media/upload/binary"
    response = httpx.post(url, files={"file": (None, b"abc")}, headers=headers, trust_env=False)
    assert response.status_code == 400
    assert "a file name" in response.json()["message"]
    assert len(offender.violations) == 1


@pytest.mark.parametrize(
    ("head", "body"), [("Content-Length: 9", b"{}"), ("Transfer-Encoding: chunked", b"xyz\r\n{}\r\n0\r\n\r\n")]
)
def test_a_body_that_breaks_off_is_no_violation(fake: FakeWaveSpeed, head: str, body: bytes) -> None:
    lines = [f"POST {FLUX} HTTP/1.1", "Content-Type: application/json", f"Authorization: Bearer {fake.api_key}", head]
    with socket.create_connection(("127.0.0.1", int(fake.url.rpartition(":")[2])), timeout=60) as connection:
        connection.sendall("\r\n".join([*lines, "", ""]).encode() + body)
        connection.shutdown(socket.SHUT_WR)
        with connection.makefile("rb") as stream:
            assert stream.readline().startswith(b"HTTP/1.1 400")
    assert fake.calls == []


def test_a_fault_of_the_stand_in_itself_is_a_violation(
    offender: FakeWaveSpeed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(catalogue, "price", lambda model: {"price": "much", "discounted_price": "little"})
    httpx.post(
        f"{offender.url}/api/v3/model/price",
        json={"model_id": "wavespeed-ai/flux-dev"},
        headers={"Authorization": f"Bearer {offender.api_key}"},
        trust_env=False,
    )
    (violation,) = offender.violations
    assert violation.startswith("the stand-in itself: response 200")


def test_an_exception_inside_is_a_response_in_json_and_a_violation(
    offender: FakeWaveSpeed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(KINDS, "get_balance")
    response = httpx.get(f"{offender.url}/api/v3/balance", trust_env=False)
    assert (response.status_code, response.json()["code"]) == (500, 500)
    assert "KeyError('get_balance')" in offender.violations[0]


def test_every_operation_of_the_contract_is_implemented(contract: Contract) -> None:
    operations = [operation for item in contract.document["paths"].values() for operation in item.values()]
    assert {operation["operationId"] for operation in operations} == KINDS.keys()


def test_the_key_at_the_storage_host_is_a_violation(offender: FakeWaveSpeed) -> None:
    httpx.get(f"{offender.url}/media/1/2", headers={"Authorization": "Bearer test-key"}, trust_env=False)
    assert offender.violations == ["the API key was sent to the storage host: GET /media/1/2"]
