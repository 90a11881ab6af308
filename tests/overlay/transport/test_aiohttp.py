"""The aiohttp engine: which errors prove that nothing was sent, what it leaves unchanged, and what it needs."""

import io
import sys
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.conftest import Connect
from tests.servers.raw import TASK, RawServer, http, kept, serving
from wavespeed_api.api.media import upload_binary
from wavespeed_api.models import BinaryUpload
from wavespeed_api.types import File
from wavespeed_client import (
    APIConnectionError,
    AsyncWaveSpeed,
    ConfigurationError,
    SubmissionUncertainError,
)
from wavespeed_client.testing import FakeWaveSpeed

pytestmark = pytest.mark.promise("aiohttp-connect")


@pytest.fixture
def engine() -> str:
    return "aiohttp"


@pytest.fixture(params=["close", "reset"])
def half_deaf(request: pytest.FixtureRequest) -> Iterator[RawServer]:
    """A server that reads two requests on a connection, and closes it instead of sending the second response."""
    with serving(keeps=True, resets=request.param == "reset") as server:
        server.responses.append(kept(200, TASK))
        yield server


def test_a_kept_connection_that_ends_with_a_submission_makes_it_uncertain(
    connect: Connect, half_deaf: RawServer
) -> None:
    ws = connect(base_url=half_deaf.url)
    assert ws.submit("a/b", {"number": 1}).id == "abc"
    with pytest.raises(SubmissionUncertainError):
        ws.submit("a/b", {"number": 2})
    assert half_deaf.connections == 1
    assert [request[-12:] for request in half_deaf.requests] == [b'{"number":1}', b'{"number":2}']


@pytest.mark.parametrize("name", ["nowhere.invalid", "127.0.0.1:9"])
def test_an_unreachable_host_means_that_nothing_was_started(connect: Connect, name: str) -> None:
    with pytest.raises(APIConnectionError, match=r"could not be sent to .*, so nothing was started"):
        connect(base_url=f"https://{name}", max_retries=0).submit("a/b")


def test_the_request_leaves_as_httpx_made_it(connect: Connect, raw_server: RawServer) -> None:
    raw_server.responses += [http(200, TASK)] * 2
    webhook = "https://example.com/a%2Fb?c=d&e=%2B+f"
    for transport in ("httpx", "aiohttp"):
        connect(base_url=raw_server.url, transport=transport).submit("a/b", {"prompt": "a+b"}, webhook=webhook)

    def parts(request: bytes) -> tuple[bytes, list[bytes], bytes]:
        head, _, body = request.partition(b"\r\n\r\n")
        first, *headers = head.split(b"\r\n")
        return first, sorted(header.split(b":")[0].lower() + header.partition(b":")[2] for header in headers), body

    assert parts(raw_server.requests[0]) == parts(raw_server.requests[1])


def test_redirects_are_not_followed(connect: Connect, raw_server: RawServer) -> None:
    raw_server.responses.append(http(307, b"", f"Location: {raw_server.url}/elsewhere"))
    with pytest.raises(SubmissionUncertainError):
        connect(base_url=raw_server.url).submit("a/b")
    assert len(raw_server.requests) == 1


def test_a_chunked_response_without_its_last_chunk_is_incomplete(connect: Connect, raw_server: RawServer) -> None:
    """Chunks that come one by one are joined; without the last chunk there is no response."""
    chunks = b"".join(f"{1:x}\r\n".encode() + TASK[at : at + 1] + b"\r\n" for at in range(len(TASK)))
    head = (
        b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
    )
    raw_server.responses += [head + chunks + b"0\r\n\r\n", head + chunks]
    ws = connect(base_url=raw_server.url)
    assert ws.submit("a/b").id == "abc"
    with pytest.raises(SubmissionUncertainError):
        ws.submit("a/b")
    assert len(raw_server.requests) == 2


def test_an_error_of_aiohttp_shows_no_query(connect: Connect, raw_server: RawServer) -> None:
    raw_server.responses.append(b"garbage\r\n\r\n")
    for url in (raw_server.url, "http://127.0.0.1:9"):
        with pytest.raises((SubmissionUncertainError, APIConnectionError)) as caught:
            connect(base_url=url, max_retries=0).submit("a/b", webhook="https://example.com/?token=hidden")
        assert "hidden" not in f"{caught.value!r} {caught.value.__cause__!r}"


def test_a_body_in_pieces_is_sent_whole(connect: Connect, fake: FakeWaveSpeed) -> None:
    ws = connect(fake.api_key, base_url=fake.url)
    response = ws.call(
        upload_binary, body=BinaryUpload(file=File(payload=io.BytesIO(b"x" * 70_000), file_name="a.png"))
    )
    assert response.status_code == 200
    (request,) = fake.requests
    assert b"x" * 70_000 in request.body


def test_the_missing_package_is_named(connect: Connect, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "wavespeed_client.transport.aiohttp", raising=False)
    monkeypatch.setitem(sys.modules, "aiohttp", None)
    with pytest.raises(ConfigurationError, match=r"pip install 'wavespeed-client\[aiohttp\]'"):
        connect()


def test_http_client_cannot_be_combined_with_aiohttp(connect: Connect) -> None:
    with pytest.raises(ConfigurationError, match="cannot be combined with transport='aiohttp'"):
        connect(http_client=httpx.AsyncClient())


@pytest.mark.parametrize("value", ["AIOHTTP", "fast", "", None, 1, [], b"aiohttp"])
def test_an_unknown_transport_is_refused(value: Any) -> None:
    with pytest.raises(ConfigurationError, match=r"^transport must be 'httpx' or 'aiohttp'\."):
        AsyncWaveSpeed("test-key", transport=value)
