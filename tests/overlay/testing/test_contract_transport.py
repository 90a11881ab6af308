"""ContractTransport, around transports of both kinds."""

import asyncio
import gzip
import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from wavespeed_client import AsyncWaveSpeed, ConfigurationError, SubmissionUncertainError, WaveSpeed
from wavespeed_client.testing import ContractError, ContractTransport, FakeWaveSpeed

FLUX = "https://api.wavespeed.ai/api/v3/wavespeed-ai/flux-dev"
KEY = {"Authorization": "Bearer key"}
TASK = b'{"code": 200, "message": "success", "data": {"id": "task-1", "status": "created"}}'

Send = Callable[..., httpx.Response]


def send_sync(transport: ContractTransport, method: str, url: str, **more: Any) -> httpx.Response:
    with httpx.Client(transport=transport) as client:
        return client.request(method, url, **more)


def send_async(transport: ContractTransport, method: str, url: str, **more: Any) -> httpx.Response:
    async def send() -> httpx.Response:
        async with httpx.AsyncClient(transport=transport) as client:
            return await client.request(method, url, **more)

    return asyncio.run(send())


@pytest.fixture(params=[send_sync, send_async], ids=["sync", "async"])
def send(request: pytest.FixtureRequest) -> Send:
    return request.param


class Service:
    """A service that sends these responses in order, and records the requests."""

    def __init__(self, *responses: httpx.Response) -> None:
        self.responses = list(responses)
        self.requests: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        return self.responses.pop(0)


def test_an_exchange_of_the_contract_passes_unchanged(send: Send) -> None:
    service = Service(httpx.Response(200, headers={"Content-Type": "application/json", "X-Trace": "1"}, content=TASK))
    response = send(ContractTransport(httpx.MockTransport(service)), "POST", FLUX, json={"prompt": "a"}, headers=KEY)
    assert (response.status_code, response.content, response.headers["X-Trace"]) == (200, TASK, "1")
    assert json.loads(service.requests[0].content) == {"prompt": "a"}


@pytest.mark.parametrize(
    ("method", "url", "body", "reason"),
    [
        ("POST", FLUX, {"prompt": 1}, "1 is not of type 'string'"),
        ("POST", f"{FLUX}?webhok=http://a/b", {}, "unknown query parameter"),
        ("GET", "https://api.wavespeed.ai/api/v2/balance", None, "no such path"),
    ],
)
def test_a_request_outside_the_contract_is_not_sent(send: Send, method: str, url: str, body: Any, reason: str) -> None:
    service = Service()
    transport = ContractTransport(httpx.MockTransport(service))
    with pytest.raises(ContractError, match=reason):
        send(transport, method, url, json=body, headers=KEY)
    assert service.requests == []
    assert reason in transport.violations[0]


def test_a_response_outside_the_contract_is_in_the_error(send: Send) -> None:
    transport = ContractTransport(httpx.MockTransport(Service(httpx.Response(200, json={"data": {"id": 7}}))))
    with pytest.raises(ContractError, match="7 is not of type 'string'") as caught:
        send(transport, "POST", FLUX, json={}, headers=KEY)
    assert caught.value.response is not None
    assert json.loads(caught.value.response.body) == {"data": {"id": 7}}
    assert caught.value.request is not None
    assert caught.value.request.body == b"{}"
    assert len(transport.violations) == 1


def test_a_compressed_response_is_checked_after_decompression(send: Send) -> None:
    headers = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
    service = Service(httpx.Response(200, headers=headers, stream=httpx.ByteStream(gzip.compress(TASK))))
    response = send(ContractTransport(httpx.MockTransport(service)), "POST", FLUX, json={}, headers=KEY)
    assert response.content == TASK


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        ({}, b'{"data": {"id": "paid", "x": ' + b"[" * 100000 + b"]" * 100000 + b"}}"),
        ({"Content-Encoding": "gzip"}, b"no gzip"),
        ({}, b'{"data": {"id": "paid", "x": NaN}}'),
    ],
)
def test_a_response_that_cannot_be_read_is_in_the_error(send: Send, headers: dict[str, str], body: bytes) -> None:
    headers = {"Content-Type": "application/json", **headers}
    service = Service(httpx.Response(200, headers=headers, stream=httpx.ByteStream(body)))
    transport = ContractTransport(httpx.MockTransport(service))
    with pytest.raises(ContractError) as caught:
        send(transport, "POST", FLUX, json={}, headers=KEY)
    assert caught.value.response is not None
    assert caught.value.response.body == body
    assert len(transport.violations) == 1


@pytest.mark.parametrize("base_url", ["HTTPS://API.Wavespeed.AI", "https://api.wavespeed.ai:443/", FLUX[:28]])
def test_a_base_url_may_be_written_in_any_way(send: Send, base_url: str) -> None:
    transport = ContractTransport(httpx.MockTransport(Service()), base_url=base_url)
    with pytest.raises(ContractError):
        send(transport, "POST", FLUX, json={"prompt": 1}, headers=KEY)


@pytest.mark.parametrize("base_url", ["api.wavespeed.ai", "https://", "https://a/?b=c", "https://[", ""])
def test_an_invalid_base_url_is_refused(base_url: str) -> None:
    with pytest.raises(ConfigurationError, match="base_url"):
        ContractTransport(base_url=base_url)


@pytest.mark.parametrize(("url", "checked"), [("https://api.wavespeed.ai/x/api/v3/nothing", True), (FLUX, False)])
def test_only_requests_below_the_base_url_are_checked(send: Send, url: str, checked: bool) -> None:
    service = Service(httpx.Response(200, content=b"anything"))
    transport = ContractTransport(httpx.MockTransport(service), base_url="https://api.wavespeed.ai/x/")
    if checked:
        with pytest.raises(ContractError):
            send(transport, "GET", url)
    else:
        assert send(transport, "GET", url).content == b"anything"


def test_the_paths_below_a_base_url_are_those_of_the_contract(send: Send) -> None:
    service = Service(httpx.Response(200, headers={"Content-Type": "application/json"}, content=TASK))
    transport = ContractTransport(httpx.MockTransport(service), base_url="https://gateway.example.com/x")
    url = "https://gateway.example.com/x/api/v3/wavespeed-ai/flux-dev"
    assert send(transport, "POST", url, json={}, headers=KEY).content == TASK


def test_without_an_inner_transport_httpxs_own_sends(send: Send, fake: FakeWaveSpeed) -> None:
    response = send(
        ContractTransport(), "GET", f"{fake.url}/api/v3/balance", headers={"Authorization": "Bearer test-key"}
    )
    assert response.json()["data"] == {"balance": 100.0}
    assert len(fake.requests) == 1


def test_a_transport_of_the_other_kind_is_named() -> None:
    with pytest.raises(TypeError, match="needs a sync transport"):
        send_sync(ContractTransport(httpx.AsyncHTTPTransport()), "GET", FLUX)
    with pytest.raises(TypeError, match="needs an async transport"):
        send_async(ContractTransport(httpx.HTTPTransport()), "GET", FLUX)


def test_a_contract_transport_works_below_our_own_clients(fake: FakeWaveSpeed) -> None:
    transport = ContractTransport()
    with httpx.Client(transport=transport) as http, WaveSpeed("test-key", base_url=fake.url, http_client=http) as ws:
        assert ws.run("wavespeed-ai/flux-dev", {"prompt": "a cat"}).succeeded
    assert transport.violations == []


def test_a_paid_task_whose_response_is_outside_the_contract_is_not_lost_below_our_clients(fake: FakeWaveSpeed) -> None:
    async def submit() -> None:
        async with (
            httpx.AsyncClient(transport=ContractTransport()) as http,
            AsyncWaveSpeed("test-key", base_url=fake.url, http_client=http) as ws,
        ):
            await ws.submit("wavespeed-ai/flux-dev")

    fake.raw(200, b'{"data": {"id": "task-1", "outputs": [1]}}')
    with pytest.raises((ContractError, SubmissionUncertainError)) as caught:
        asyncio.run(submit())
    cause = caught.value if isinstance(caught.value, ContractError) else caught.value.__cause__
    assert isinstance(cause, ContractError)
    assert cause.response is not None
    assert b"task-1" in cause.response.body
