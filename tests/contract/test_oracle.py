"""The judge itself: it accepts what is in the contract and rejects what is not, for the right reason."""

import pytest

from wavespeed_client.testing import Answer, Contract, ContractError, Request

KEY = {"Authorization": "Bearer test-key"}
JSON = {**KEY, "Content-Type": "application/json"}
FLUX = "/api/v3/wavespeed-ai/flux-dev"


@pytest.mark.parametrize(
    "request_",
    [
        Request("POST", FLUX, JSON, b'{"prompt": "a cat", "width": 512, "anything": [1]}'),
        Request("POST", f"{FLUX}?webhook=https%3A%2F%2Fexample.com%2Fhook", JSON, b"{}"),
        Request("POST", f"{FLUX}/turbo", JSON, b'{"webhook_url": "https://example.com/hook"}'),
        Request("POST", "/api/v3/a.b_c/D-1.0", JSON, b"{}"),
        Request("GET", "/api/v3/predictions/Az09_-/result", KEY),
        Request("GET", "/api/v3/predictions/Az09_-", KEY),
    ],
    ids=lambda request: f"{request.method} {request.target}",
)
def test_accepts_requests_of_the_contract(contract: Contract, request_: Request) -> None:
    contract.check_request(request_)


@pytest.mark.parametrize(
    ("request_", "reason"),
    [
        (Request("POST", FLUX, JSON, b'{"prompt": 1}'), "prompt 1 is not of type 'string'"),
        (Request("POST", FLUX, JSON, b'{"width": "wide"}'), "width 'wide' is not of type 'integer'"),
        (Request("POST", FLUX, JSON, b'{"webhook_url": "nowhere"}'), "'nowhere' is not a 'uri'"),
        (Request("POST", FLUX, JSON, b"[]"), "is not of type 'object'"),
        (Request("POST", FLUX, JSON, b"{"), "Failed to deserialize"),
        (Request("POST", FLUX, JSON, b"\xff\xfe{"), "Error"),
        (Request("POST", FLUX, JSON), "Missing required request body"),
        (Request("POST", FLUX, {**KEY, "Content-Type": "text/plain"}, b"{}"), "mimetype not found: text/plain"),
        (Request("POST", f"{FLUX}?webhook=nowhere", JSON, b"{}"), "'nowhere' is not a 'uri'"),
        (Request("POST", FLUX, {"Content-Type": "application/json"}, b"{}"), "Security not found"),
        (Request("POST", FLUX, {**JSON, "Authorization": "test-key"}, b"{}"), "Security not found"),
        (Request("PUT", FLUX, JSON, b"{}"), "Operation put not found"),
        (Request("POST", "/api/v3/flux-dev", JSON, b"{}"), "not found"),
        (Request("POST", f"{FLUX}/a/b", JSON, b"{}"), "Path not found"),
        (Request("POST", "/api/v3/wavespeed-ai%2Fflux-dev", JSON, b"{}"), "not found"),
        (Request("POST", "/api/v3/wavespeed-ai/flux%2Fdev", JSON, b"{}"), "does not match"),
        (Request("POST", "/api/v3/api/v3/flux-dev", JSON, b"{}"), "Invalid path parameter: provider"),
        (Request("POST", "/api/v3/../flux-dev", JSON, b"{}"), "Path not found"),
        (Request("GET", "/api/v3/predictions/a.b/result", KEY), "Invalid path parameter: prediction_id"),
        (Request("GET", "/predictions/abc/result", KEY), "Path not found"),
    ],
    ids=lambda value: f"{value.method} {value.target}" if isinstance(value, Request) else "",
)
def test_rejects_requests_outside_it_and_says_why(contract: Contract, request_: Request, reason: str) -> None:
    with pytest.raises(ContractError, match=reason):
        contract.check_request(request_)


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
def test_accepts_answers_of_the_contract(contract: Contract, answer: Answer) -> None:
    contract.check_answer(POLL, answer)


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
def test_rejects_answers_outside_it_and_says_why(contract: Contract, answer: Answer, reason: str) -> None:
    with pytest.raises(ContractError, match=reason):
        contract.check_answer(POLL, answer)
