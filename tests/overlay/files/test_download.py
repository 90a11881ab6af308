"""Uploads and downloads: what the storage host saw, and what is on disk afterwards."""

import base64
import io
import json
import logging
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import ROOT, Connect, Driven, RawServer, http
from wavespeed_client import (
    APIConnectionError,
    APIError,
    ConfigurationError,
    InvalidInputError,
    NotFoundError,
    ServerError,
    UnexpectedResponseError,
)
from wavespeed_client.files.upload import CHUNK, LARGEST_UPLOAD
from wavespeed_client.testing import FakeWaveSpeed


class Storage(ThreadingHTTPServer):
    """A storage host that keeps no bytes: only what came with them, and how many there were."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), StorageHandler)
        self.puts: list[tuple[str, dict[str, str], int]] = []
        self.gets: list[dict[str, str]] = []
        self.status = 200
        self.url = f"http://127.0.0.1:{self.server_port}"


class StorageHandler(BaseHTTPRequestHandler):
    server: Storage

    def do_PUT(self) -> None:
        left = length = int(self.headers["Content-Length"])
        while left and (data := self.rfile.read(min(left, 1 << 20))):
            left -= len(data)
        self.server.puts.append((self.path, dict(self.headers), length - left))
        self.send_response(self.server.status)
        self.send_header("Location", "/elsewhere")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def do_GET(self) -> None:
        self.server.gets.append(dict(self.headers))
        kind, _, rest = self.path.strip("/").partition("/")
        if kind == "hop":
            number = int(rest.partition("/")[0])
            self.send_response(302)
            self.send_header("Location", f"/hop/{number - 1}" if number > 1 else "/bytes/5")
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        if kind == "away":
            self.send_response(307)
            self.send_header("Location", "file:///etc/passwd")
            self.end_headers()
            return
        size = int(rest.partition("/")[0])
        self.send_response(200)
        self.send_header("Content-Length", str(size))
        self.end_headers()
        for _ in range(size >> 20):
            self.wfile.write(bytes(1 << 20))
        self.wfile.write(b"x" * (size % (1 << 20)))

    def log_message(self, format: str, *args: Any) -> None:
        pass


@pytest.fixture
def storage() -> Iterator[Storage]:
    with Storage() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def ticket(fake: FakeWaveSpeed, url: str, **headers: str) -> None:
    """Let the next ticket name this URL."""
    upload = {"method": "PUT", "url": url, "headers": headers, "expires_at": None}
    data = {"type": "image", "download_url": "https://e.com/f", "filename": "f", "size": 1, "upload": upload}
    fake.raw(200, json.dumps({"data": data}).encode(), on="upload")


def tickets(fake: FakeWaveSpeed) -> list[Any]:
    return [json.loads(request.body) for request in fake.requests if request.target == "/api/v3/media/uploads"]


@pytest.mark.parametrize("size", [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK])
def test_an_upload_arrives_whole_and_its_url_gives_it_back(
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


def test_the_storage_host_gets_the_tickets_headers_and_what_http_needs(
    ws: Driven, fake: FakeWaveSpeed, storage: Storage, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    ticket(fake, f"{storage.url}/signed?signature=secret", **{"Content-Type": "image/png", "If-None-Match": "*"})
    with caplog.at_level(logging.DEBUG):
        assert ws.upload(io.BytesIO(b"bytes"), filename="a.png") == "https://e.com/f"
    ((path, headers, size),) = storage.puts
    host = storage.url.removeprefix("http://")
    assert path == "/signed?signature=secret"
    assert headers == {"Host": host, "Content-Type": "image/png", "If-None-Match": "*", "Content-Length": "5"}
    assert size == 5
    assert "signature" not in caplog.text


def test_open_files_are_uploaded_from_where_they_stand_and_stay_open(
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


def test_what_cannot_be_uploaded_is_refused_before_a_ticket(ws: Driven, fake: FakeWaveSpeed, tmp_path: Path) -> None:
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
        (io.StringIO("text"), "open for reading bytes"),
        (5, "open for reading bytes"),
        (b"bytes", "open for reading bytes"),
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
def test_a_file_that_changes_while_it_is_read_is_told(
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
    assert [path for path, _, _ in storage.puts] == ["/x"]


@pytest.mark.parametrize("url", ["file:///etc/passwd", "ftp://example.com/", "", "https://", "/relative"])
def test_a_ticket_to_somewhere_else_is_refused(ws: Driven, fake: FakeWaveSpeed, url: str) -> None:
    ticket(fake, url)
    with pytest.raises(UnexpectedResponseError, match="address must begin with"):
        ws.upload(io.BytesIO(b"x"), filename="a.png")


def test_an_upload_that_breaks_off_says_so(ws: Driven, fake: FakeWaveSpeed, raw_server: RawServer) -> None:
    ticket(fake, f"{raw_server.url}/x")
    with pytest.raises(APIConnectionError, match="upload the file again"):
        ws.upload(io.BytesIO(b"x"), filename="a.png")


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/bytes/3/image.png", "image.png"),
        ("/bytes/3/..%2f..%2fetc%2fpasswd", "passwd"),
        ("/bytes/3/..%5c..%5cevil", "evil"),
        ("/bytes/3/%2e%2e", "output"),
        ("/bytes/3/", "output"),
        ("/bytes/3/.hidden", "hidden"),
        ("/bytes/3/a%00b%0a.png?x=/y", "ab.png"),
        ("/bytes/3/" + "n" * 300 + ".png", "n" * 146 + ".png"),
    ],
)
def test_a_folder_gets_the_urls_name_and_nothing_lands_outside_it(
    ws: Driven, storage: Storage, tmp_path: Path, path: str, name: str
) -> None:
    folder = tmp_path / "in" / "folder"
    for to in (f"{folder}/", folder, str(folder)):
        written = ws.download(storage.url + path, to)
        assert written == folder / name
        assert written.read_bytes() == b"xxx"
    assert [found for found in tmp_path.rglob("*") if found.is_file()] == [folder / name]


def test_a_download_sends_no_key_and_tells_its_progress(ws: Driven, storage: Storage, tmp_path: Path) -> None:
    seen: list[tuple[int, int | None]] = []
    size = 3_000_000
    url = f"{storage.url}/bytes/{size}"
    target = ws.download(url, tmp_path / "a", on_progress=lambda done, total: seen.append((done, total)))
    assert target.stat().st_size == size
    assert seen[0] == (0, size)
    assert seen[-1] == (size, size)
    assert sorted(seen) == seen
    (headers,) = storage.gets
    assert set(headers) == {"Host", "Accept-Encoding", "User-Agent"}


def test_redirects_are_followed_up_to_five_and_over_the_web_only(ws: Driven, storage: Storage, tmp_path: Path) -> None:
    assert ws.download(f"{storage.url}/hop/5", tmp_path / "a").read_bytes() == b"xxxxx"
    for path, reason in (("/hop/6", "more than 5 times"), ("/away", "must begin with https://")):
        with pytest.raises(UnexpectedResponseError, match=reason):
            ws.download(storage.url + path, tmp_path / "b")
    assert [found.name for found in tmp_path.iterdir()] == ["a"]


def whole(body: bytes) -> bytes:
    return b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)


def test_a_download_begins_again_once_after_a_drop(ws: Driven, raw_server: RawServer, tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"older")
    broken = whole(b"12345")[:-2]
    raw_server.answers += [broken, whole(b"12345")]
    assert ws.download(f"{raw_server.url}/a", tmp_path / "a").read_bytes() == b"12345"
    raw_server.answers += [broken, broken]
    with pytest.raises(APIConnectionError, match="broke off twice"):
        ws.download(f"{raw_server.url}/a", tmp_path / "a")
    assert (tmp_path / "a").read_bytes() == b"12345"
    assert [found.name for found in tmp_path.iterdir()] == ["a"]
    assert len(raw_server.requests) == 4


def test_an_expired_output_is_not_found(ws: Driven, fake: FakeWaveSpeed, tmp_path: Path) -> None:
    with pytest.raises(NotFoundError):
        ws.download(f"{fake.url}/media/gone.png", tmp_path / "a")
    assert list(tmp_path.iterdir()) == []


def test_base64_outputs_are_decoded(ws: Driven, tmp_path: Path) -> None:
    text = base64.b64encode(b"\x89PNG bytes").decode()
    assert ws.download(text, tmp_path / "a.png").read_bytes() == b"\x89PNG bytes"
    assert ws.download(text, tmp_path) == tmp_path / "output"
    with pytest.raises(InvalidInputError, match="neither a URL nor base64"):
        ws.download("no base64!", tmp_path / "b")
    assert sorted(found.name for found in tmp_path.iterdir()) == ["a.png", "output"]


def test_places_that_cannot_be_written_are_named(ws: Driven, storage: Storage, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for to in (tmp_path / "no" / "folder", f"{tmp_path}/file/", tmp_path / "file" / "a"):
        with pytest.raises(InvalidInputError, match="folder"):
            ws.download(f"{storage.url}/bytes/3", to)
    assert storage.gets == []


@pytest.mark.parametrize(
    "url",
    [
        "ftp://example.com/a",
        "file:///etc/passwd",
        "https://",
        "javascript:alert(1)",
        "http://a..b/",
        "http://127.0.0.1:70000/",
        "http://xn--a.com/",
        "http://[::1/x",
        "http://example.com/\ud800",
    ],
)
def test_outputs_that_are_not_of_the_web_are_refused(ws: Driven, tmp_path: Path, url: str) -> None:
    with pytest.raises(UnexpectedResponseError, match="must begin with"):
        ws.download(url, tmp_path / "a")
    with pytest.raises(UnexpectedResponseError, match="must begin with"):
        ws.download(url, f"{tmp_path}/")
    assert list(tmp_path.iterdir()) == []


def test_a_compressed_download_is_refused(ws: Driven, raw_server: RawServer, tmp_path: Path) -> None:
    raw_server.answers.append(http(200, b"\x1f\x8b some bytes", "Content-Encoding: gzip"))
    with pytest.raises(UnexpectedResponseError, match="came compressed"):
        ws.download(f"{raw_server.url}/a", tmp_path / "a")
    assert list(tmp_path.iterdir()) == []


def test_long_names_are_cut_and_impossible_ones_told(ws: Driven, storage: Storage, tmp_path: Path) -> None:
    name = "%E6%97%A5" * 100 + ".png"
    assert ws.download(f"{storage.url}/bytes/3/{name}", tmp_path).name.endswith("\u65e5.png")
    assert ws.download(f"{storage.url}/bytes/3", tmp_path / ("n" * 250)).read_bytes() == b"xxx"
    for to in (f"{tmp_path}/a\0b", f"{tmp_path}/" + "n" * 300):
        with pytest.raises(InvalidInputError):
            ws.download(f"{storage.url}/bytes/3", to)
    assert len(list(tmp_path.iterdir())) == 2


def test_an_error_of_the_watcher_is_the_callers_own(ws: Driven, storage: Storage, tmp_path: Path) -> None:
    def watch(done: int, total: int | None) -> None:
        raise OSError("mine")

    (tmp_path / "a.bin").write_bytes(b"x")
    for call in (
        lambda: ws.download(f"{storage.url}/bytes/3", tmp_path / "b", on_progress=watch),
        lambda: ws.upload(tmp_path / "a.bin", on_progress=watch),
    ):
        with pytest.raises(OSError, match="mine"):
            call()
    assert [found.name for found in tmp_path.iterdir()] == ["a.bin"]


def test_a_ticket_with_odd_headers_is_told_and_lengths_are_our_own(
    ws: Driven, fake: FakeWaveSpeed, storage: Storage
) -> None:
    ticket(fake, f"{storage.url}/x", **{"content-length": "3", "Transfer-Encoding": "chunked"})
    ws.upload(io.BytesIO(b"bytes"), filename="a.png")
    assert [size for _, _, size in storage.puts] == [5]
    ticket(fake, f"{storage.url}/x", **{"X-Odd": "\u00e9"})
    with pytest.raises(UnexpectedResponseError, match="cannot be sent"):
        ws.upload(io.BytesIO(b"bytes"), filename="a.png")


def test_proxies_without_a_scheme_and_impossible_ones(
    ws: Driven, storage: Storage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", storage.url.removeprefix("http://"))
    with pytest.raises(APIConnectionError):  # the storage host is no proxy, and was asked as one
        ws.download("http://example.invalid/bytes", tmp_path / "a")
    assert storage.gets[0]["Host"] == "example.invalid"
    monkeypatch.setenv("HTTP_PROXY", "socks5://127.0.0.1:1")
    with pytest.raises(ConfigurationError, match="proxy variable"):
        ws.download("http://example.invalid/a", tmp_path / "a")


@pytest.mark.parametrize("kind", ["sync", "async"])
def test_200_mib_pass_in_flat_memory(fake: FakeWaveSpeed, tmp_path: Path, kind: str) -> None:
    program = ROOT / "scripts" / "bench.d" / "transfers.py"
    command = [sys.executable, program, kind, fake.url, tmp_path, "200"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    up, down, _ = json.loads(done.stdout)
    assert len(next(iter(fake.files.values()))) == 1
    assert max(up, down) < 40


def test_a_closed_client_uploads_nothing(connect: Connect, fake: FakeWaveSpeed) -> None:
    ws = connect(fake.api_key, base_url=fake.url)
    ws.end()
    with pytest.raises(Exception, match="closed"):
        ws.upload(io.BytesIO(b"x"), filename="a.png")
    assert fake.requests == []
