"""Uploads: what the storage host saw, and what is refused before any request."""

import io
import json
import logging
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import ROOT, Connect, Driven
from tests.overlay.files.conftest import Storage
from tests.overlay.files.uploading import ticket, tickets
from tests.servers.raw import RawServer
from wavespeed_client import (
    APIConnectionError,
    APIError,
    InvalidInputError,
    ServerError,
    UnexpectedResponseError,
)
from wavespeed_client.files.upload import CHUNK, LARGEST_UPLOAD
from wavespeed_client.testing import FakeWaveSpeed


@pytest.mark.parametrize("size", [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK])
def test_an_upload_arrives_whole_and_can_be_downloaded_from_its_url(
    ws: Driven, fake: FakeWaveSpeed, tmp_path: Path, size: int
) -> None:
    content = bytes(number % 251 for number in range(size))
    (tmp_path / "h\u00e4rbour.jpeg").write_bytes(content)
    seen: list[tuple[int, int | None]] = []
    url = ws.upload(tmp_path / "h\u00e4rbour.jpeg", on_progress=lambda done, total: seen.append((done, total)))
    assert list(fake.files.values()) == [content]
    assert tickets(fake) == [{"filename": "h\u00e4rbour.jpeg", "size": size, "content_type": "image/jpeg"}]
    assert seen == [(min(done, size), size) for done in range(CHUNK, size + CHUNK, CHUNK)]
    assert ws.download(url, tmp_path / "again").read_bytes() == content


def test_the_storage_host_gets_only_the_tickets_headers_and_those_of_http(
    ws: Driven, fake: FakeWaveSpeed, storage: Storage, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    ticket(fake, f"{storage.url}/signed?signature=secret", **{"Content-Type": "image/png", "If-None-Match": "*"})
    with caplog.at_level(logging.DEBUG):
        assert ws.upload(io.BytesIO(b"bytes"), filename="a.png") == "https://e.com/f"
    (put,) = storage.puts
    host = storage.url.removeprefix("http://")
    assert put.path == "/signed?signature=secret"
    assert put.headers == {"Host": host, "Content-Type": "image/png", "If-None-Match": "*", "Content-Length": "5"}
    assert put.body == b"bytes"
    assert "signature" not in caplog.text


def test_open_files_are_uploaded_from_their_position_and_stay_open(
    ws: Driven, fake: FakeWaveSpeed, tmp_path: Path
) -> None:
    (tmp_path / "a.wav").write_bytes(b"0123456789")
    with (tmp_path / "a.wav").open("rb") as file:
        file.seek(4)
        ws.upload(file)
        assert not file.closed
    assert list(fake.files.values()) == [b"456789"]
    assert tickets(fake)[0] == {"filename": "a.wav", "size": 6, "content_type": "audio/x-wav"}
    ws.upload(str(tmp_path / "a.wav"), filename="b.bin", content_type="audio/other")
    assert tickets(fake)[1] == {"filename": "b.bin", "size": 10, "content_type": "audio/other"}


def test_an_unusable_file_is_refused_before_a_ticket_is_requested(
    ws: Driven, fake: FakeWaveSpeed, tmp_path: Path
) -> None:
    (tmp_path / "large").touch()
    with (tmp_path / "large").open("r+b") as file:
        file.truncate(LARGEST_UPLOAD + 1)
    closed = io.BytesIO(b"x")
    closed.close()
    cases: list[tuple[Any, str]] = [
        (tmp_path / "missing", "cannot be uploaded"),
        (tmp_path, "cannot be uploaded"),
        ("a\0b", "cannot be uploaded"),
        (tmp_path / "large", "200 MiB"),
        (io.StringIO("text"), "opened in binary mode"),
        (5, "opened in binary mode"),
        (b"bytes", "opened in binary mode"),
        (io.BytesIO(b"x"), "pass filename="),
    ]
    for file, reason in cases:
        with pytest.raises(InvalidInputError, match=reason):
            ws.upload(file)
    with pytest.raises(InvalidInputError, match="no length"):
        ws.upload(closed, filename="a.png")
    assert fake.requests == []


class Changing(io.BytesIO):
    """A file that another program changes while it is read."""

    def __init__(self, size: int, change: Any) -> None:
        super().__init__(bytes(size))
        self.change = change
        self.reads = 0

    def read(self, size: int | None = -1) -> bytes:
        self.reads += 1
        if self.reads == 2:
            self.change(self)
        return super().read(size)


def vanish(file: Changing) -> None:
    raise OSError("No such device")


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda file: file.truncate(CHUNK), "became shorter"),
        (lambda file: file.getbuffer().release() or io.BytesIO.seek(file, 0), "became longer"),
        (vanish, "could not be read to its end: No such device"),
    ],
)
def test_a_file_that_changes_while_it_is_read_is_an_error(
    ws: Driven, fake: FakeWaveSpeed, storage: Storage, change: Any, reason: str
) -> None:
    ticket(fake, f"{storage.url}/x")
    with pytest.raises(InvalidInputError, match=reason):
        ws.upload(Changing(2 * CHUNK, change), filename="a.png")


@pytest.mark.parametrize(
    ("status", "kind"), [(302, UnexpectedResponseError), (403, APIError), (412, APIError), (503, ServerError)]
)
def test_a_storage_host_that_refuses_is_not_followed(
    ws: Driven, fake: FakeWaveSpeed, storage: Storage, status: int, kind: type[Exception]
) -> None:
    storage.status = status
    ticket(fake, f"{storage.url}/x")
    with pytest.raises(kind):
        ws.upload(io.BytesIO(b"x"), filename="a.png")
    assert [put.path for put in storage.puts] == ["/x"]


@pytest.mark.parametrize("url", ["file:///etc/passwd", "ftp://example.com/", "", "https://", "/relative"])
def test_a_ticket_with_an_unusable_url_is_refused(ws: Driven, fake: FakeWaveSpeed, url: str) -> None:
    ticket(fake, url)
    with pytest.raises(UnexpectedResponseError, match="URL must begin with"):
        ws.upload(io.BytesIO(b"x"), filename="a.png")


UNSENDABLE: list[dict[str, Any]] = [
    *({"method": method} for method in ("\u00e9", "\ud800", "P UT", "PUT\r\nX: y")),
    *({"headers": {name: "x"}} for name in ("", "a b", "\u00e9", "X:")),
    *({"headers": {"X": value}} for value in ("\u00e9", "\ud800", "a\r\nY: b", "\x00")),
]


@pytest.mark.parametrize("rest", [{}, {"method": None, "headers": None}, {"method": "", "headers": {"X-A": None}}])
def test_a_ticket_needs_its_urls_only(ws: Driven, fake: FakeWaveSpeed, storage: Storage, rest: dict[str, Any]) -> None:
    data = {"download_url": "https://e.com/f", "upload": {"url": f"{storage.url}/x", **rest}}
    fake.raw(200, json.dumps({"data": data}).encode(), on="upload")
    assert ws.upload(io.BytesIO(b"bytes"), filename="a.png") == "https://e.com/f"
    (put,) = storage.puts
    assert (put.path, put.body) == ("/x", b"bytes")
    assert "X-A" not in put.headers


@pytest.mark.parametrize(
    "data",
    [
        [],
        {},
        {"download_url": "https://e.com/f"},
        {"download_url": "https://e.com/f", "upload": {"method": "PUT"}},
        {"upload": {"url": "https://e.com/x"}},
        {"download_url": "https://e.com/f", "upload": {"url": "https://e.com/x", "method": 5}},
        {"download_url": "https://e.com/f", "upload": {"url": "https://e.com/x", "headers": {"X": 5}}},
        {"download_url": "https://e.com/f", "upload": {"url": "https://e.com/x", "headers": []}},
        *({"download_url": "https://e.com/f", "upload": {"url": "https://e.com/x", **upload}} for upload in UNSENDABLE),
    ],
)
def test_a_ticket_that_cannot_be_used_is_an_error(ws: Driven, fake: FakeWaveSpeed, data: Any) -> None:
    fake.raw(200, json.dumps({"data": data}).encode(), on="upload")
    with pytest.raises(UnexpectedResponseError, match="cannot be read"):
        ws.upload(io.BytesIO(b"bytes"), filename="a.png")


def test_an_upload_that_breaks_off_says_what_to_do(ws: Driven, fake: FakeWaveSpeed, raw_server: RawServer) -> None:
    ticket(fake, f"{raw_server.url}/x")
    with pytest.raises(
        APIConnectionError, match=r"^The upload to 127\.0\.0\.1:\d+ broke off .*\. Upload the file again\.$"
    ):
        ws.upload(io.BytesIO(b"x"), filename="a.png")


def test_length_headers_of_a_ticket_are_replaced_with_our_own(
    ws: Driven, fake: FakeWaveSpeed, storage: Storage
) -> None:
    ticket(fake, f"{storage.url}/x", **{"content-length": "3", "Transfer-Encoding": "chunked"})
    ws.upload(io.BytesIO(b"bytes"), filename="a.png")
    assert [put.body for put in storage.puts] == [b"bytes"]


@pytest.mark.parametrize("kind", ["sync", "async"])
def test_200_mib_pass_in_flat_memory(fake: FakeWaveSpeed, tmp_path: Path, kind: str) -> None:
    program = ROOT / "tests" / "overlay" / "files" / "transfers.py"
    command = [sys.executable, program, kind, fake.url, tmp_path]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    up, down = json.loads(done.stdout)
    assert len(next(iter(fake.files.values()))) == 1
    assert max(up, down) < 40


def test_a_closed_client_uploads_nothing(connect: Connect, fake: FakeWaveSpeed) -> None:
    ws = connect(fake.api_key, base_url=fake.url)
    ws.end()
    with pytest.raises(Exception, match="closed"):
        ws.upload(io.BytesIO(b"x"), filename="a.png")
    assert fake.requests == []
