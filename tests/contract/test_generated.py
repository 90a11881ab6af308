"""Generated functions, called directly: what each sends, as the server saw it, and how it reads the response."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from email import message_from_bytes
from functools import partial
from inspect import iscoroutinefunction
from typing import Any
from urllib.parse import parse_qsl

import pytest

from tests.conftest import Driven
from tests.contract.document import (
    KINDS,
    OPERATIONS,
    bodies,
    example_response,
    module,
    parameters,
    resolved,
    response_model,
    values,
)
from tests.contract.reading import assert_same
from wavespeed_api import AuthenticatedClient
from wavespeed_api.api.tasks import submit_task
from wavespeed_api.errors import UnexpectedStatus
from wavespeed_api.models import BinaryUpload, PredictionEnvelope, TaskInput
from wavespeed_api.types import Response
from wavespeed_client import APIError
from wavespeed_client.testing import FakeWaveSpeed, Request

Call = Callable[..., Any]


@pytest.fixture(params=["sync_detailed", "sync", "asyncio_detailed", "asyncio"])
def call(request: pytest.FixtureRequest, fake: FakeWaveSpeed) -> Iterator[Call]:
    """One of the four functions that each endpoint module has, called with the generated client by itself."""
    with asyncio.Runner() as runner, AuthenticatedClient(fake.url, fake.api_key, verify_ssl=False) as client:

        def call(operation: str, **arguments: Any) -> Any:
            function = getattr(module(operation), request.param)
            result = function(client=client, **arguments)
            result = runner.run(result) if iscoroutinefunction(function) else result
            assert isinstance(result, Response) == request.param.endswith("_detailed")
            return result.parsed if isinstance(result, Response) else result

        yield call
        runner.run(client.get_async_httpx_client().aclose())


def assert_sent(request: Request, operation: str, query: dict[str, str]) -> None:
    """Check the operation's own method and path, the query and the key."""
    path = OPERATIONS[operation]["path"].format(**parameters(operation, "path"))
    target, _, sent_query = request.target.partition("?")
    assert (request.method, target) == (OPERATIONS[operation]["method"], path)
    assert dict(parse_qsl(sent_query, keep_blank_values=True)) == query
    assert ("?" in request.target) == bool(query)
    assert request.headers["Authorization"] == "Bearer test-key"


@pytest.mark.parametrize("operation", OPERATIONS)
def test_each_function_sends_the_request_and_reads_the_response(
    call: Call, fake: FakeWaveSpeed, operation: str
) -> None:
    segments, query = parameters(operation, "path"), parameters(operation, "query")
    for body, options in [(body, options) for body in bodies(operation) for options in ({}, query)]:
        fake.raw(200, json.dumps(example_response(operation)).encode(), on=KINDS[operation])
        parsed = call(operation, **segments, **body, **options)
        assert_sent(fake.requests[-1], operation, options)
        assert type(parsed) is response_model(operation, 200)
        assert_same(parsed.to_dict(), example_response(operation))


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize("raises", [False, True])
def test_a_status_that_is_not_described_is_reported_as_it_came(
    fake: FakeWaveSpeed, operation: str, raises: bool
) -> None:
    fake.raw(302, b"elsewhere", on=KINDS[operation])
    options: dict[str, Any] = {"verify_ssl": False, "raise_on_unexpected_status": raises}
    with AuthenticatedClient(fake.url, fake.api_key, **options) as client:
        send = partial(module(operation).sync_detailed, **parameters(operation, "path"), client=client)
        if raises:
            with pytest.raises(UnexpectedStatus) as caught:
                send(**next(bodies(operation)))
            assert (caught.value.status_code, caught.value.content) == (302, b"elsewhere")
        else:
            response = send(**next(bodies(operation)))
            assert (response.status_code, response.content, response.parsed) == (302, b"elsewhere", None)


def json_media(operation: str) -> dict[str, Any]:
    return resolved(OPERATIONS[operation].get("requestBody", {})).get("content", {}).get("application/json", {})


@pytest.mark.parametrize("operation", [operation for operation in OPERATIONS if json_media(operation)])
def test_each_function_sends_the_body_as_json(call: Call, fake: FakeWaveSpeed, operation: str) -> None:
    for body, value in zip(bodies(operation), values(json_media(operation)), strict=True):
        call(operation, **parameters(operation, "path"), **body)
        assert fake.requests[-1].headers["Content-Type"] == "application/json"
        assert_same(json.loads(fake.requests[-1].body), value)


@pytest.mark.parametrize("operation", [operation for operation in OPERATIONS if not next(bodies(operation))])
def test_requests_without_a_body_send_none(call: Call, fake: FakeWaveSpeed, operation: str) -> None:
    call(operation, **parameters(operation, "path"))
    assert fake.requests[-1].body == b""
    assert "Content-Type" not in fake.requests[-1].headers


def test_a_form_holds_the_file_with_its_name_and_type(call: Call, fake: FakeWaveSpeed) -> None:
    (body,) = bodies("upload_binary")
    stored = call("upload_binary", **body)
    request = fake.requests[-1]
    form = message_from_bytes(f"Content-Type: {request.headers['Content-Type']}\r\n\r\n".encode() + request.body)
    assert form.get_content_type() == "multipart/form-data"
    (part,) = form.get_payload()
    assert part["Content-Disposition"] == 'form-data; name="file"; filename="harbour.jpeg"'
    assert part["Content-Type"] == "image/x-harbour"
    assert part.get_payload(decode=True) == b"bytes"
    assert stored.data.filename == "harbour.jpeg"


def test_a_form_can_be_made_from_bytes() -> None:
    given = {"file": b"bytes"}
    name, payload, kind = BinaryUpload.from_dict(given).to_dict()["file"]
    assert (name, payload.read(), kind) == (None, b"bytes", None)
    assert given == {"file": b"bytes"}
    with pytest.raises(KeyError, match=r"^'file'$"):
        BinaryUpload.from_dict({})


ESCAPED = {"a/b": "a%2Fb", "a?b": "a%3Fb", "a#b": "a%23b", "a%2Fb": "a%252Fb", "a b": "a%20b", "ä": "%C3%A4"}


@pytest.mark.parametrize(
    ("operation", "name"), [(operation, name) for operation in OPERATIONS for name in parameters(operation, "path")]
)
def test_segments_are_escaped(ws: Driven, fake: FakeWaveSpeed, operation: str, name: str) -> None:
    segments = parameters(operation, "path")
    for segment, on_the_wire in ESCAPED.items():
        with pytest.raises(APIError):  # no such model or task, so all of these are outside the contract
            ws.call(module(operation), **{**segments, name: segment}, **next(bodies(operation)))
        assert fake.requests[-1].target == OPERATIONS[operation]["path"].format(**{**segments, name: on_the_wire})
    assert len(fake.violations) == len(ESCAPED)
    fake.violations.clear()


def test_the_api_attribute_carries_the_key_and_returns_generated_models(ws: Driven, fake: FakeWaveSpeed) -> None:
    response = ws.call(
        submit_task, "wavespeed-ai", "flux-dev", body=TaskInput(prompt="a cat"), webhook="https://e.com/"
    )
    assert isinstance(response.parsed, PredictionEnvelope)
    assert response.parsed.data.status == "created"
    assert fake.calls[0].webhook == "https://e.com/"
    assert "test-key" not in repr(ws.api)
