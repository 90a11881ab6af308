"""Storage hosts that break off, fail, or send more than was requested: no half file, no endless response."""

import asyncio
import gzip
import io
import json
import logging
import tracemalloc
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.conftest import Driven
from tests.overlay.files.conftest import Storage
from tests.overlay.files.uploading import ticket
from tests.servers.raw import RawServer, http
from wavespeed_client import (
    APIConnectionError,
    NotFoundError,
    PermissionDeniedError,
    RateLimitError,
    ServerError,
    UnexpectedResponseError,
)
from wavespeed_client.files.download import fetch, fetch_async
from wavespeed_client.files.places import ThisFile
from wavespeed_client.testing import FakeWaveSpeed

pytestmark = pytest.mark.promise("large", "storage-key", "download")

FILE = b"0123456789"
WHOLE = http(200, FILE)
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
MIB = 1024 * 1024
LITTLE = 16 * MIB  # what the stand-in needs


def in_folder(folder: Path) -> dict[str, bytes]:
    return {found.name: found.read_bytes() for found in folder.iterdir()}


@pytest.mark.parametrize("head", [b"HTTP/1.1 200 OK\r\n\r\n", b"HTTP/1.0 200 OK\r\nConnection: close\r\n\r\n"])
def test_a_file_without_a_known_end_is_refused(ws: Driven, any_server: RawServer, tmp_path: Path, head: bytes) -> None:
    (tmp_path / "a").write_bytes(b"older")
    any_server.responses.append(head + FILE[:5])
    with pytest.raises(UnexpectedResponseError, match="neither Content-Length nor chunks"):
        ws.download(f"{any_server.url}/a", tmp_path / "a")
    assert in_folder(tmp_path) == {"a": b"older"}
    assert len(any_server.requests) == 1


@pytest.mark.parametrize(
    "broken",
    [
        WHOLE[:-1],
        WHOLE[: -len(FILE)],
        CHUNKED,
        CHUNKED + b"5\r\n01234\r\n",
        CHUNKED + b"5\r\n012",
        CHUNKED + b"5\r\n01234\r\n0\r\n",
        CHUNKED + b"5\r\n01234\r\nno length\r\n",
    ],
)
def test_a_file_that_breaks_off_is_fetched_anew(
    ws: Driven, any_server: RawServer, tmp_path: Path, broken: bytes
) -> None:
    (tmp_path / "a").write_bytes(b"older")
    any_server.responses += [broken] * 4
    with pytest.raises(APIConnectionError, match=r"^The download from 127\.0\.0\.1:\d+ broke off"):
        ws.download(f"{any_server.url}/a", tmp_path / "a")
    assert in_folder(tmp_path) == {"a": b"older"}
    assert len(any_server.requests) == 4
    any_server.responses += [broken, broken, WHOLE]
    assert ws.download(f"{any_server.url}/a", tmp_path / "a").read_bytes() == FILE
    assert in_folder(tmp_path) == {"a": FILE}


def test_a_files_end_is_where_its_length_or_its_last_chunk_says(
    ws: Driven, any_server: RawServer, tmp_path: Path
) -> None:
    chunked = CHUNKED + b"5\r\n01234\r\n5\r\n56789\r\n0\r\n\r\n"
    for response, total in ((WHOLE, 10), (WHOLE + b"more", 10), (chunked, None), (chunked + b"more", None)):
        any_server.responses.append(response)
        seen: list[tuple[int, int | None]] = []
        target = ws.download(
            f"{any_server.url}/a", tmp_path / "a", on_progress=lambda *progress, seen=seen: seen.append(progress)
        )
        assert target.read_bytes() == FILE
        assert (seen[0], seen[-1]) == ((0, total), (10, total))


def test_bytes_that_are_no_tls_count_as_a_dropped_connection(
    ws: Driven, fake: FakeWaveSpeed, tls_server: RawServer, tmp_path: Path
) -> None:
    tls_server.noise = b"no record of TLS, and longer than the head of one"
    tls_server.responses += [WHOLE[:-5]] * 4
    with pytest.raises(APIConnectionError, match=r"^The download from 127\.0\.0\.1:\d+ broke off"):
        ws.download(f"{tls_server.url}/a", tmp_path / "a")
    assert len(tls_server.requests) == 4
    ticket(fake, f"{tls_server.url}/x")
    with pytest.raises(APIConnectionError, match=r"^The upload to 127\.0\.0\.1:\d+ broke off"):
        ws.upload(io.BytesIO(b"x"), filename="a.png")
    assert in_folder(tmp_path) == {}


def test_a_host_whose_certificate_is_not_trusted_is_named_without_its_signed_url(
    ws: Driven, fake: FakeWaveSpeed, tls_server: RawServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SSL_CERT_FILE")
    signed = f"{tls_server.url}/a?signature=5f2c"
    with pytest.raises(APIConnectionError, match=r"^The download from 127\.0\.0\.1:\d+ .*SSL_CERT_FILE") as download:
        ws.download(signed, tmp_path / "a")
    ticket(fake, signed)
    with pytest.raises(APIConnectionError, match=r"^The upload to 127\.0\.0\.1:\d+ .*SSL_CERT_FILE") as upload:
        ws.upload(io.BytesIO(b"x"), filename="a.png")
    assert "5f2c" not in f"{download.value}{upload.value}"
    assert tls_server.requests == []


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_a_failure_of_a_host_is_retried(ws: Driven, raw_server: RawServer, tmp_path: Path, status: int) -> None:
    failure = http(status, b"{}")
    raw_server.responses += [failure, failure, failure, WHOLE]
    assert ws.download(f"{raw_server.url}/a", tmp_path / "a").read_bytes() == FILE
    raw_server.responses += [http(status, b"{}", "Retry-After: 0")] * 4
    with pytest.raises(RateLimitError if status == 429 else ServerError) as caught:
        ws.download(f"{raw_server.url}/b", tmp_path / "b")
    assert (caught.value.status_code, caught.value.retry_after) == (status, 0)
    assert len(raw_server.requests) == 8
    assert in_folder(tmp_path) == {"a": FILE}


@pytest.mark.parametrize("after", ["soon", "\u00e9", "1.5", "-1", ""])
def test_an_unreadable_retry_after_of_a_host_is_ignored(
    ws: Driven, raw_server: RawServer, tmp_path: Path, after: str
) -> None:
    raw_server.responses += [http(503, b"").replace(b"\r\n", f"\r\nRetry-After: {after}\r\n".encode(), 1), WHOLE]
    assert ws.download(f"{raw_server.url}/a", tmp_path / "a").read_bytes() == FILE
    assert len(raw_server.requests) == 2


@pytest.mark.parametrize("status", [400, 403, 404, 410, 501])
def test_a_refusal_of_a_host_is_not_retried(ws: Driven, raw_server: RawServer, tmp_path: Path, status: int) -> None:
    raw_server.responses += [http(status, b"{}"), WHOLE]
    with pytest.raises(Exception, match=f"HTTP {status}"):
        ws.download(f"{raw_server.url}/a", tmp_path / "a")
    assert len(raw_server.requests) == 1


@pytest.mark.parametrize("kind", ["sync", "async"])
def test_a_download_is_tried_as_often_as_max_retries_allows(raw_server: RawServer, tmp_path: Path, kind: str) -> None:
    def tried(max_retries: int) -> None:
        arguments = (f"{raw_server.url}/a", ThisFile(tmp_path / "a"), 5.0, None, max_retries)
        if kind == "sync":
            fetch(*arguments)
        else:
            asyncio.run(fetch_async(*arguments))

    raw_server.responses += [http(503, b""), WHOLE[:-1], b"", WHOLE]
    for max_retries, error, requests in ((0, ServerError, 1), (1, APIConnectionError, 3)):
        with pytest.raises(error):
            tried(max_retries)
        assert len(raw_server.requests) == requests


def test_pauses_grow_and_a_host_may_demand_a_minute(
    ws: Driven, raw_server: RawServer, tmp_path: Path, pauses: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("httpx_retries.retry.random.uniform", lambda low, high: high)
    monkeypatch.setattr("wavespeed_client.transport.retry.BACKOFF_SECONDS", 0.25)
    raw_server.responses += [http(503, b"", "Retry-After: 3600"), http(429, b"", "Retry-After: 2"), b"", WHOLE]
    assert ws.download(f"{raw_server.url}/a", tmp_path / "a").read_bytes() == FILE
    raw_server.responses += [http(503, b""), WHOLE[:-1], b"", WHOLE]
    assert ws.download(f"{raw_server.url}/a", tmp_path / "a").read_bytes() == FILE
    assert pauses == [60, 2, 2, 0.5, 1, 2]


def test_a_repeated_download_begins_at_its_own_address_and_is_in_no_log(
    ws: Driven, raw_server: RawServer, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    onward = b"HTTP/1.1 302 Found\r\nLocation: /there\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    raw_server.responses += [onward, http(503, b""), onward, b"", onward, WHOLE]
    with caplog.at_level(logging.DEBUG):
        ws.download(f"{raw_server.url}/here?signature=secret", tmp_path / "a")
    paths = [request.split(b" ")[1] for request in raw_server.requests]
    assert paths == [b"/here?signature=secret", b"/there"] * 3
    assert "signature" not in caplog.text


def test_an_error_of_the_watcher_repeats_no_download(ws: Driven, raw_server: RawServer, tmp_path: Path) -> None:
    mine = httpx.ConnectError("mine")

    def watch(done: int, total: int | None) -> None:
        if done:
            raise mine

    raw_server.responses += [WHOLE, WHOLE]
    with pytest.raises(httpx.ConnectError) as caught:
        ws.download(f"{raw_server.url}/a", tmp_path / "a", on_progress=watch)
    assert caught.value is mine
    assert len(raw_server.requests) == 1
    assert in_folder(tmp_path) == {}


def bomb(status: int) -> bytes:
    """Return a response of some hundred bytes that unpacks to 64 MiB."""
    body = gzip.compress(gzip.compress(bytes(64 * MIB)))
    assert len(body) < 2048
    return http(status, body, "Content-Encoding: gzip, gzip")


def peak(call: Any, *arguments: Any, **options: Any) -> int:
    """Return the most bytes that a call has held at once."""
    tracemalloc.start()
    try:
        call(*arguments, **options)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def caught(kind: type[Exception], call: Any, *arguments: Any, **options: Any) -> Any:
    with pytest.raises(kind) as found:
        call(*arguments, **options)
    return found.value


@pytest.mark.parametrize(
    ("status", "kind"),
    [(200, UnexpectedResponseError), (302, UnexpectedResponseError), (404, NotFoundError), (503, ServerError)],
)
def test_a_bomb_in_place_of_a_file_is_not_unpacked(
    ws: Driven, raw_server: RawServer, tmp_path: Path, status: int, kind: type[Exception]
) -> None:
    raw_server.responses += [bomb(status)] * 4
    errors: list[Any] = []
    arguments = (f"{raw_server.url}/a", tmp_path / "a")
    assert peak(lambda: errors.append(caught(kind, ws.download, *arguments))) < LITTLE
    assert (errors[0].status_code, errors[0].body) == (status, "")
    assert in_folder(tmp_path) == {}


@pytest.mark.parametrize("status", [200, 403])
def test_a_bomb_in_reply_to_an_upload_is_not_unpacked(
    ws: Driven, fake: FakeWaveSpeed, raw_server: RawServer, status: int
) -> None:
    ticket(fake, f"{raw_server.url}/x")
    raw_server.responses.append(bomb(status))
    upload = (ws.upload, io.BytesIO(b"x"))
    if status == 200:
        assert peak(*upload, filename="a.png") < LITTLE
    else:
        assert peak(caught, PermissionDeniedError, *upload, filename="a.png") < LITTLE
    assert len(raw_server.requests) == 1


def test_only_the_beginning_of_an_error_page_is_read(ws: Driven, storage: Storage, tmp_path: Path) -> None:
    url = f"{storage.url}/refused/{64 * MIB}"
    assert peak(caught, NotFoundError, ws.download, url, tmp_path / "a") < LITTLE
    assert len(storage.gets) == 1


@pytest.mark.parametrize("encoding", ["identity", ""])
def test_the_reason_of_a_host_is_quoted_even_if_its_response_breaks_off(
    ws: Driven, fake: FakeWaveSpeed, raw_server: RawServer, tmp_path: Path, encoding: str
) -> None:
    said = http(403, json.dumps({"message": "It has expired."}).encode() + b"  ", f"Content-Encoding: {encoding}")[:-1]
    raw_server.responses += [said, said]
    with pytest.raises(PermissionDeniedError, match="It has expired"):
        ws.download(f"{raw_server.url}/a", tmp_path / "a")
    ticket(fake, f"{raw_server.url}/x")
    with pytest.raises(PermissionDeniedError, match="It has expired"):
        ws.upload(io.BytesIO(b"x"), filename="a.png")
    assert len(raw_server.requests) == 2
