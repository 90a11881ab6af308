"""The judge itself: it accepts what is in the contract and rejects what is not, for the right reason."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wavespeed_client.testing import Answer, Contract, ContractError, Request
from wavespeed_client.testing.shortcut import Shortcut

KEY = {"Authorization": "Bearer test-key"}
JSON = {**KEY, "Content-Type": "application/json"}
FORM = {**KEY, "Content-Type": "multipart/form-data; boundary=x"}
FLUX = "/api/v3/wavespeed-ai/flux-dev"
BINARY = "/api/v3/media/upload/binary"


def form(*names: str) -> bytes:
    """A form with these parts."""
    parts = [f'--x\r\nContent-Disposition: form-data; name="{name}"; filename="a"\r\n\r\nb\r\n' for name in names]
    return ("".join(parts) + "--x--\r\n").encode()


@pytest.fixture(params=["with the shortcut", "without"])
def judge(contract: Contract, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Contract:
    if request.param == "without":
        monkeypatch.setattr(Shortcut, "accepts_request", lambda *_: False)
        monkeypatch.setattr(Shortcut, "accepts_answer", lambda *_: False)
    return contract


@pytest.mark.parametrize(
    "request_",
    [
        Request("POST", FLUX, JSON, b'{"prompt": "a cat", "width": 512, "anything": [1]}'),
        Request("POST", f"{FLUX}?webhook=https%3A%2F%2Fexample.com%2Fhook", JSON, b"{}"),
        Request("POST", f"{FLUX}/turbo", JSON, b'{"webhook_url": "https://example.com/hook"}'),
        Request("POST", "/api/v3/a.b_c/D-1.0", JSON, b"{}"),
        Request("GET", "/api/v3/predictions/Az09_-/result", KEY),
        Request("GET", "/api/v3/predictions/Az09_-", KEY),
        Request("POST", BINARY, FORM, form("file")),
    ],
    ids=lambda request: f"{request.method} {request.target}",
)
def test_accepts_requests_of_the_contract(judge: Contract, request_: Request) -> None:
    judge.check_request(request_)


@pytest.mark.parametrize(
    ("request_", "reason"),
    [
        (Request("POST", FLUX, JSON, b'{"prompt": 1}'), "prompt 1 is not of type 'string'"),
        (Request("POST", FLUX, JSON, b'{"width": "wide"}'), "width 'wide' is not of type 'integer'"),
        (Request("POST", FLUX, JSON, b'{"webhook_url": "nowhere"}'), "'nowhere' is not a 'uri'"),
        (Request("POST", FLUX, JSON, b"[]"), "is not of type 'object'"),
        (Request("POST", FLUX, JSON, b"{"), "not JSON"),
        (Request("POST", FLUX, JSON, b"\xff\xfe{"), "not JSON"),
        (Request("POST", FLUX, JSON, b"\xef\xbb\xbf{}"), "not JSON"),
        (Request("POST", FLUX, JSON, b'{"cfg": NaN}'), "NaN is no JSON"),
        (Request("POST", FLUX, JSON, b"[" * 100000), "nested too deep"),
        (Request("POST", FLUX, JSON), "Missing required request body"),
        (Request("POST", FLUX, {**KEY, "Content-Type": "text/plain"}, b"{}"), "mimetype not found: text/plain"),
        (Request("POST", f"{FLUX}?webhook=nowhere", JSON, b"{}"), "'nowhere' is not a 'uri'"),
        (Request("POST", FLUX, {"Content-Type": "application/json"}, b"{}"), "Security not found"),
        (Request("POST", FLUX, {**JSON, "Authorization": "test-key"}, b"{}"), "Security not found"),
        (Request("PUT", FLUX, JSON, b"{}"), "only POST"),
        (Request("POST", "/api/v3/flux-dev", JSON, b"{}"), "no such path"),
        (Request("POST", f"{FLUX}/a/b", JSON, b"{}"), "no such path"),
        (Request("POST", "/api/v3/wavespeed-ai%2Fflux-dev", JSON, b"{}"), "no such path"),
        (Request("POST", "/api/v3/wavespeed-ai/flux%2Fdev", JSON, b"{}"), "does not match"),
        (Request("POST", "/api/v3/api/v3/flux-dev", JSON, b"{}"), "Invalid path parameter: provider"),
        (Request("POST", "/api/v3/../flux-dev", JSON, b"{}"), "Path not found"),
        (Request("GET", "/api/v3/predictions/a.b/result", KEY), "Invalid path parameter: prediction_id"),
        (Request("GET", "/predictions/abc/result", KEY), "no such path"),
        (Request("GET", "/api/v3/predictions/delete", KEY), "only POST"),
        (Request("POST", "/api/v3/predictions/abc", JSON, b"{}"), "only GET"),
        (Request("POST", f"{FLUX}?webhok=http://a/b", JSON, b"{}"), "unknown query parameter 'webhok'"),
        (Request("POST", BINARY, FORM, form("file", "other")), "unknown part 'other'"),
        (Request("POST", BINARY, FORM, form("other")), "unknown part 'other'"),
        (Request("POST", BINARY, FORM, b"--x\r\n1--x--\r\n"), "form cannot be read"),
    ],
    ids=lambda value: f"{value.method} {value.target}" if isinstance(value, Request) else "",
)
def test_rejects_requests_outside_it_and_says_why(judge: Contract, request_: Request, reason: str) -> None:
    with pytest.raises(ContractError, match=reason):
        judge.check_request(request_)


def test_a_range_of_statuses_comes_before_the_default(contract: Contract) -> None:
    schema = {"type": "object", "required": ["z"]}
    answers = {
        "4XX": {"description": "No.", "content": {"application/json": {"schema": schema}}},
        "default": {"description": "Any.", "content": {"application/json": {"schema": {"type": "object"}}}},
    }
    operation = {"operationId": "get_it", "responses": answers}
    parameter = {"name": "x-id", "in": "path", "required": True, "schema": {"type": "string"}}
    paths = {"/a/{x-id}": {"parameters": [parameter], "get": operation}}
    own = Contract({"openapi": "3.1.0", "info": {"title": "a", "version": "1"}, "paths": paths})
    with pytest.raises(ContractError, match="'z' is a required property"):
        own.check_answer(Request("GET", "/a/1", {}), Answer(404, b"{}"))
    own.check_answer(Request("GET", "/a/1", {}), Answer(500, b"{}"))


POLL = Request("GET", "/api/v3/predictions/abc/result", KEY)


@pytest.mark.parametrize(
    "answer",
    [
        Answer(200, b'{"data": {"id": "abc"}}'),
        Answer(200, b'{"code": 200, "data": {"id": "abc", "status": "new-word", "created_at": null, "outputs": null}}'),
        Answer(200, b'{"data": {"id": "abc", "outputs": ["text", {"any": 1}], "new_field": 1}}'),
        Answer(502, b"<html></html>", "text/html"),
        Answer(418, b'{"code": 418}'),
    ],
)
def test_accepts_answers_of_the_contract(judge: Contract, answer: Answer) -> None:
    judge.check_answer(POLL, answer)


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (Answer(200, b'{"data": {}}'), "'id' is a required property"),
        (Answer(200, b'{"data": {"id": 1}}'), "1 is not of type 'string'"),
        (Answer(200, b'{"data": {"id": "abc", "outputs": [1]}}'), "not valid under any of the given schemas"),
        (Answer(200, b"{}"), "'data' is a required property"),
        (Answer(200, b""), "Missing response data"),
        (Answer(404, b"<html></html>", "text/html"), "mimetype not found: text/html"),
    ],
)
def test_rejects_answers_outside_it_and_says_why(judge: Contract, answer: Answer, reason: str) -> None:
    with pytest.raises(ContractError, match=reason):
        judge.check_answer(POLL, answer)


ANY = st.none() | st.booleans() | st.integers(-2, 9) | st.floats(0, 1) | st.sampled_from(["", "a", "http://[", "b:c"])
ANY = ANY | st.lists(ANY, max_size=2) | st.dictionaries(st.sampled_from(["path", "scale", "x"]), ANY, max_size=2)


@settings(max_examples=150, derandomize=True, deadline=None)
@given(
    target=st.sampled_from([FLUX, f"{FLUX}?webhook=a:b", f"{FLUX}?webhook=", f"{FLUX}?webhook=a:b&webhook=c:d"]),
    body=st.fixed_dictionaries({}, optional=dict.fromkeys(("prompt", "width", "seed", "webhook_url", "loras"), ANY)),
)
def test_the_shortcut_judges_requests_as_openapi_core_does(
    contract: Contract, target: str, body: dict[str, Any]
) -> None:
    request = Request("POST", target, JSON, json.dumps(body).encode())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Shortcut, "accepts_request", lambda *_: False)
        slow = verdict(lambda: contract.check_request(request))
    assert verdict(lambda: contract.check_request(request)) == slow


@settings(max_examples=150, derandomize=True, deadline=None)
@given(
    data=st.fixed_dictionaries(
        {}, optional=dict.fromkeys(("id", "status", "outputs", "urls", "created_at", "timings", "code"), ANY)
    ),
    status=st.sampled_from([200, 400, 418, 502]),
    content_type=st.sampled_from(["application/json", "application/json; charset=utf-8", "text/html", None]),
)
def test_the_shortcut_judges_answers_as_openapi_core_does(
    contract: Contract, data: dict[str, Any], status: int, content_type: str | None
) -> None:
    answer = Answer(status, json.dumps({"code": status, "data": data}).encode(), content_type)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Shortcut, "accepts_answer", lambda *_: False)
        slow = verdict(lambda: contract.check_answer(POLL, answer))
    assert verdict(lambda: contract.check_answer(POLL, answer)) == slow


def verdict(check: Callable[[], None]) -> str:
    """What the check complains of; nothing, when it accepts."""
    try:
        check()
    except ContractError as error:
        return str(error)
    return ""
