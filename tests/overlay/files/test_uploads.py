"""Files inside inputs, as the service and its storage host see them: uploaded first, and each content once."""

import asyncio
import io
import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from tempfile import NamedTemporaryFile, SpooledTemporaryFile, TemporaryFile
from typing import Any

import pytest

from tests.conftest import ROOT, Connect, Driven, both_transports
from tests.overlay.files.conftest import Storage
from tests.overlay.files.test_upload import ticket, tickets
from tests.servers.raw import RawServer
from wavespeed_client import (
    APIConnectionError,
    AsyncWaveSpeed,
    AuthenticationError,
    ConfigurationError,
    CostLimitError,
    InvalidInputError,
    InvalidModelError,
    PermissionDeniedError,
    ServerError,
    SubmissionUncertainError,
    TaskInput,
    UnexpectedResponseError,
    WaveSpeed,
    WaveSpeedError,
)
from wavespeed_client.files import uploads
from wavespeed_client.files.upload import CHUNK, LARGEST_IN_MEMORY, LARGEST_UPLOAD
from wavespeed_client.files.uploads import AT_ONCE
from wavespeed_client.testing import FakeWaveSpeed

pytestmark = pytest.mark.promise("files-first")

MODEL = "wavespeed-ai/flux-dev"


class Image:
    """As Pillow's are."""

    def __init__(self, format: str | None = None, content: bytes = b"image") -> None:
        self.format = format
        self.content = content

    def save(self, fp: Any, format: str) -> None:
        fp.write(format.encode() + self.content)


def stored(fake: FakeWaveSpeed, url: str) -> bytes:
    """What was uploaded to a URL."""
    return fake.files[url.removeprefix(fake.url)]


def paths(fake: FakeWaveSpeed) -> list[str]:
    """What was asked for, in order, with the storage host's paths cut short."""
    targets = [f"{request.method} {request.target}" for request in fake.requests]
    return [target.partition("/storage/")[0] if "/storage/" in target else target for target in targets]


@pytest.mark.parametrize("verb", ["submit", "run"])
def test_a_file_anywhere_is_uploaded_first_and_its_url_sent(
    ws: Driven, fake: FakeWaveSpeed, tmp_path: Path, verb: str
) -> None:
    (tmp_path / "cat.png").write_bytes(b"cat")
    given = TaskInput(prompt="a/cat.png")
    given["image"] = tmp_path / "cat.png"
    given["loras"] = [{"path": io.BytesIO(b"lora"), "scale": 1}, {"path": "https://e.com/lora"}]
    given["more"] = {"deep": [Image("JPEG"), Image()]}
    getattr(ws, verb)(MODEL, given)
    (call,) = fake.calls
    sent = call.input
    assert stored(fake, sent.pop("image")) == b"cat"
    assert stored(fake, sent["loras"][0].pop("path")) == b"lora"
    assert [stored(fake, url) for url in sent.pop("more")["deep"]] == [b"JPEGimage", b"PNGimage"]
    assert sent == {"prompt": "a/cat.png", "loras": [{"scale": 1}, {"path": "https://e.com/lora"}]}
    kinds = {(asked["filename"], asked["content_type"]) for asked in tickets(fake)}
    assert kinds == {
        ("cat.png", "image/png"),
        ("file", "application/octet-stream"),
        ("image.jpeg", "image/jpeg"),
        ("image.png", "image/png"),
    }
    assert paths(fake).index(f"POST /api/v3/{MODEL}") == 8
    assert given["image"] == tmp_path / "cat.png"


def test_each_content_is_uploaded_once_whatever_it_comes_as(ws: Driven, fake: FakeWaveSpeed, tmp_path: Path) -> None:
    for name in ("a.png", "b.png"):
        (tmp_path / name).write_bytes(b"same")
    file = io.BytesIO(b"same")
    for files in ([tmp_path / "a.png", file, file], [tmp_path / "b.png", str(tmp_path / "a.png")], [file]):
        ws.submit(MODEL, {"images": files})
    urls = {url for call in fake.calls for url in call.input["images"]}
    assert len(urls) == 2
    assert str(tmp_path / "a.png") in urls
    assert [asked["filename"] for asked in tickets(fake)] == ["a.png"]
    assert list(fake.files.values()) == [b"same"]


def test_open_files_are_read_from_where_they_stand_and_stand_there_again(
    ws: Driven, fake: FakeWaveSpeed, tmp_path: Path
) -> None:
    (tmp_path / "a.wav").write_bytes(b"0123456789")
    with (tmp_path / "a.wav").open("rb") as file:
        file.seek(4)
        for _ in range(2):
            ws.submit(MODEL, {"audio": file, "again": [file]})
            assert file.tell() == 4
    assert list(fake.files.values()) == [b"456789"]
    assert tickets(fake) == [{"filename": "a.wav", "size": 6, "content_type": "audio/x-wav"}]
    (url,) = {url for call in fake.calls for url in (call.input["audio"], *call.input["again"])}
    assert stored(fake, url) == b"456789"


def test_files_without_a_name_of_text_get_a_plain_one(ws: Driven, fake: FakeWaveSpeed, tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"descriptor")
    descriptor = os.open(tmp_path / "x", os.O_RDONLY)
    with SpooledTemporaryFile() as spooled, TemporaryFile() as unnamed, os.fdopen(descriptor, "rb") as opened:
        for file in (spooled, unnamed):
            file.write(repr(type(file)).encode())
            file.seek(0)
        ws.submit(MODEL, {"files": [spooled, unnamed, opened]})
        for file in (spooled, unnamed, opened):
            with pytest.raises(InvalidInputError, match="no name: pass filename="):
                ws.upload(file)
    assert [asked["filename"] for asked in tickets(fake)] == ["file"] * 3


def test_what_no_ending_tells_the_first_bytes_do(ws: Driven, fake: FakeWaveSpeed, tmp_path: Path) -> None:
    (tmp_path / "IMG").write_bytes(b"GIF89a")
    (tmp_path / "IMG.HEIC").write_bytes(b"GIF89b")
    files = [io.BytesIO(b"\x89PNG\r\n"), tmp_path / "IMG", tmp_path / "IMG.HEIC", Image("MPO", b"")]
    ws.submit(MODEL, {"files": files})
    ws.upload(io.BytesIO(b"fLaC"), filename="a.bin")
    told = {asked["filename"]: asked["content_type"] for asked in tickets(fake)}
    assert told == {
        "file.png": "image/png",
        "IMG.gif": "image/gif",
        "IMG.HEIC": "image/heic",
        "image.mpo": "application/octet-stream",
        "a.bin": "audio/flac",
    }


def test_a_large_image_goes_by_way_of_the_disk(ws: Driven, fake: FakeWaveSpeed) -> None:
    image = Image("WEBP", bytes(LARGEST_IN_MEMORY))
    ws.submit(MODEL, {"image": image})
    assert ws.upload(image)
    assert list(fake.files.values()) == [b"WEBP" + image.content] * 2
    assert [asked["filename"] for asked in tickets(fake)] == ["image.webp"] * 2


class Broken(Image):
    def save(self, fp: Any, format: str) -> None:
        raise KeyError(format)


class Lax:
    """An image of another library, which is written whatever the format is."""

    def __init__(self, format: Any) -> None:
        self.format = format

    def save(self, fp: Any, format: str) -> None:
        fp.write(b"image")


class Odd(io.BytesIO):
    """A file of another library, whose `read` does as it likes."""

    name = "odd.png"

    def __init__(self, read: Callable[[bytes], Any]) -> None:
        super().__init__(b"odd")
        self.answer = read

    def read(self, size: int | None = -1) -> Any:
        return self.answer(super().read(size))


def cut_off(_: bytes) -> bytes:
    raise EOFError("Compressed file ended")


class Upload:
    """As Starlette's are: a file that is read by coroutines."""

    name = "a.png"

    async def read(self, size: int = -1) -> bytes:
        return b""


def test_files_that_cannot_be_read_are_refused_by_their_field_before_any_is_uploaded(
    ws: Driven, fake: FakeWaveSpeed, tmp_path: Path
) -> None:
    (tmp_path / "good.png").write_bytes(b"good")
    (tmp_path / "large").touch()
    os.truncate(tmp_path / "large", LARGEST_UPLOAD + 1)
    read = io.BytesIO(b"x")
    read.read()
    closed = io.BytesIO(b"x")
    closed.close()
    reader, writer = os.pipe()
    pipe_on_disk = tmp_path / "pipe.png"
    os.mkfifo(pipe_on_disk)
    with (
        (tmp_path / "good.png").open() as text,
        NamedTemporaryFile("w+") as wrapped,
        os.fdopen(reader, "rb") as pipe,
        os.fdopen(writer, "wb"),
        (tmp_path / "written").open("wb") as written,
    ):
        written.write(b"x")
        written.seek(0)
        cases: list[tuple[Any, str]] = [
            (tmp_path / "missing.png", "'missing.png' cannot be uploaded: .*No such file"),
            (tmp_path, "cannot be uploaded"),
            (Path("a\0b"), "cannot be uploaded"),
            (tmp_path / "large", "200 MiB"),
            (text, r"binary mode \('rb'\), not TextIOWrapper"),
            (wrapped, r"binary mode \('rb'\), not"),
            (io.StringIO("text"), r"binary mode \('rb'\), not StringIO"),
            (read, r"file is empty, or was already read to its end: call seek\(0\)"),
            (closed, "file cannot be read, or has no length"),
            (pipe, "file cannot be read, or has no length"),
            (written, "written cannot be read, or has no length"),
            (Upload(), "a.png cannot be read, or has no length"),
            (Broken("PSD"), "could not be written as PSD .KeyError: 'PSD'.: save it to a file first"),
            (Lax(3), "could not be written as 3 .AttributeError"),
            (Odd(cut_off), "odd.png could not be read to its end: Compressed file ended"),
            (Odd(bytes.decode), "odd.png could not be read to its end: .* bytes"),
            (Odd(lambda _: None), "odd.png could not be read to its end: .* bytes"),
            (Odd(lambda data: data + b"more"), "odd.png could not be read to its end: .* bytes"),
            (pipe_on_disk, "'pipe.png' cannot be uploaded: it is not a regular file"),
            (Path("/dev/zero"), "'zero' cannot be uploaded: it is not a regular file"),
        ]
        for file, reason in cases:
            with pytest.raises(InvalidInputError, match=rf"^loras\[1\].path could not be uploaded, .*{reason}"):
                ws.run(MODEL, {"image": tmp_path / "good.png", "loras": [{}, {"path": file}]})
    assert fake.requests == []


def test_all_else_is_checked_before_anything_is_uploaded(ws: Driven, fake: FakeWaveSpeed) -> None:
    file = io.BytesIO(b"x")
    with pytest.raises(InvalidModelError):
        ws.submit("no-model", {"image": file})
    with pytest.raises(InvalidInputError, match="webhook"):
        ws.submit(MODEL, {"image": file}, webhook="no URL")
    with pytest.raises(InvalidInputError, match=r"^seed is nan"):
        ws.submit(MODEL, {"image": file, "seed": float("nan")})
    with pytest.raises(InvalidInputError, match="max_cost"):
        ws.run(MODEL, {"image": file}, max_cost="5")
    with pytest.raises(InvalidInputError, match=r"^image is bytes: pass upload\(BytesIO"):
        ws.run(MODEL, {"image": b"x"})
    assert fake.requests == []


@pytest.mark.parametrize(
    ("status", "on", "kind"),
    [(401, "upload", AuthenticationError), (403, "storage", PermissionDeniedError), (503, "storage", ServerError)],
)
def test_a_refused_file_keeps_its_error_and_names_its_field(
    ws: Driven, fake: FakeWaveSpeed, status: int, on: Any, kind: type[WaveSpeedError]
) -> None:
    fake.refuse(status, on=on, times=9)
    with pytest.raises(kind, match=r"^loras\[0\].path could not be uploaded, so nothing was submitted: ") as caught:
        ws.run(MODEL, {"loras": [{"path": io.BytesIO(b"x")}]})
    assert type(caught.value) is kind
    assert caught.value.status_code == status
    fake.reset()
    ws.run(MODEL, {"loras": [{"path": io.BytesIO(b"x")}]})
    assert [stored(fake, call.input["loras"][0]["path"]) for call in fake.calls] == [b"x"]


def test_one_that_fails_ends_the_others(connect: Connect) -> None:
    files = [io.BytesIO(bytes([number])) for number in range(2 * AT_ONCE)]
    # A stand-in of its own: a late upload of an earlier test would take the refusal.
    with FakeWaveSpeed() as own:
        own.refuse(403, on="storage", times=1)
        with pytest.raises(PermissionDeniedError, match=r"^images\[\d\] could not be uploaded"):
            connect(own.api_key, base_url=own.url).submit(MODEL, {"images": files})
        assert own.calls == []
    assert [file.tell() for file in files] == [0] * len(files)


def test_a_lost_upload_is_no_uncertain_submission(ws: Driven, fake: FakeWaveSpeed, raw_server: RawServer) -> None:
    ticket(fake, f"{raw_server.url}/x")
    with pytest.raises(APIConnectionError, match=r"^image could not be uploaded, .*: The upload broke off"):
        ws.submit(MODEL, {"image": io.BytesIO(b"x")})
    assert fake.calls == []


@pytest.mark.parametrize("url", ["", "file:///x", "nowhere"])
def test_a_ticket_whose_file_has_no_url_is_not_paid_for(ws: Driven, fake: FakeWaveSpeed, url: str) -> None:
    upload = {"method": "PUT", "url": f"{fake.url}/storage/x", "headers": {}, "expires_at": None}
    data = {"type": "image", "download_url": url, "filename": "f", "size": 1, "upload": upload}
    fake.raw(200, json.dumps({"data": data}).encode(), on="upload")
    with pytest.raises(UnexpectedResponseError, match=r"^image could not be uploaded"):
        ws.submit(MODEL, {"image": io.BytesIO(b"x")})
    assert len(fake.requests) == 1


def test_an_uncertain_submission_holds_what_was_sent(ws: Driven, fake: FakeWaveSpeed) -> None:
    fake.drop("submit")
    with pytest.raises(SubmissionUncertainError) as caught:
        ws.submit(MODEL, {"image": io.BytesIO(b"x")})
    assert caught.value.input == fake.calls[0].input
    assert len(ws.find_submissions(caught.value)) == 1


def test_a_limit_is_held_against_the_price_of_what_is_sent(ws: Driven, fake: FakeWaveSpeed) -> None:
    file = io.BytesIO(b"x")
    with pytest.raises(CostLimitError):
        ws.run(MODEL, {"image": file}, max_cost=0)
    ws.run(MODEL, {"image": file}, max_cost=100)
    priced = [json.loads(request.body) for request in fake.requests if request.target.endswith("/price")]
    assert [query["inputs"] for query in priced] == [call.input for call in fake.calls] * 2
    assert stored(fake, fake.calls[0].input["image"]) == b"x"


def test_a_bare_price_uploads_nothing(ws: Driven, fake: FakeWaveSpeed) -> None:
    ws.price(MODEL, {"image": Path("cat.png"), "prompt": "p"})
    (request,) = fake.requests
    assert json.loads(request.body)["inputs"] == {"image": "https://example.invalid/cat.png", "prompt": "p"}


class Changing(io.BytesIO):
    """A file that is another one when it is read again."""

    def seek(self, place: int, whence: int = 0) -> int:
        if place == whence == 0 and self.tell():
            self.getbuffer()[0] ^= 1
        return super().seek(place, whence)


def test_only_the_bytes_whose_digest_was_taken_are_uploaded(ws: Driven, fake: FakeWaveSpeed) -> None:
    with pytest.raises(InvalidInputError, match="file was changed while it was uploaded"):
        ws.submit(MODEL, {"image": Changing(bytes(CHUNK + 1))})
    assert fake.calls == []
    assert set(fake.files.values()) <= {b""}


class Calendar(datetime):
    """Its today is what a test says."""

    today_is = datetime(2026, 1, 1, tzinfo=UTC)

    @classmethod
    def now(cls, tz: Any = None) -> datetime:
        return cls.today_is


def test_an_upload_that_is_too_old_is_made_again(
    ws: Driven, fake: FakeWaveSpeed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uploads, "datetime", Calendar)
    for days in (0, 5, 7):
        monkeypatch.setattr(Calendar, "today_is", datetime(2026, 1, 1 + days, tzinfo=UTC))
        ws.submit(MODEL, {"image": io.BytesIO(b"x")})
    first, second, third = [call.input["image"] for call in fake.calls]
    assert first == second != third


def test_what_is_not_uploaded_by_the_deadline_is_not_submitted(ws: Driven, fake: FakeWaveSpeed) -> None:
    for file in (Path(__file__), io.BytesIO(b"x")):
        with pytest.raises(APIConnectionError, match=r"^image could not be uploaded, .*the time(out ended| was up)"):
            ws.run(MODEL, {"image": file}, timeout=0)
    assert fake.calls == []
    assert tickets(fake) == []


def test_what_was_uploaded_before_takes_no_time(ws: Driven, fake: FakeWaveSpeed) -> None:
    ws.submit(MODEL, {"image": Path(__file__)})
    fake.script(MODEL, "completed")
    assert ws.run(MODEL, {"image": Path(__file__)}, timeout=0).succeeded
    assert len(tickets(fake)) == 1


def test_an_upload_that_stalls_ends_with_the_time_of_its_run(ws: Driven, fake: FakeWaveSpeed) -> None:
    with socket.create_server(("127.0.0.1", 0)) as stalled:  # takes what comes, and never answers
        ticket(fake, f"http://127.0.0.1:{stalled.getsockname()[1]}/x")
        with pytest.raises(APIConnectionError, match=r"^image could not be uploaded, so nothing was submitted: "):
            ws.run(MODEL, {"image": io.BytesIO(b"x")}, timeout=0.2)
    assert fake.calls == []


def test_a_closed_client_uploads_nothing(connect: Connect, fake: FakeWaveSpeed) -> None:
    ws = connect(fake.api_key, base_url=fake.url)
    ws.end()
    with pytest.raises(ConfigurationError, match="closed"):
        ws.submit(MODEL, {"image": io.BytesIO(b"x")})
    assert fake.requests == []


def submissions_at_once(fake: FakeWaveSpeed, engine: str, inputs: list[Any], transport: Any = "httpx") -> None:
    """Submit inputs from as many threads or tasks of one client."""
    if engine == "sync":
        with WaveSpeed(fake.api_key, base_url=fake.url) as ws, ThreadPoolExecutor(len(inputs)) as threads:
            list(threads.map(lambda given: ws.submit(MODEL, given), inputs))
        return

    async def submit() -> None:
        async with AsyncWaveSpeed(fake.api_key, base_url=fake.url, transport=transport) as ws:
            await asyncio.gather(*(ws.submit(MODEL, given) for given in inputs))

    asyncio.run(submit())


@both_transports
@pytest.mark.parametrize("engine", ["sync", "async"])
def test_submissions_at_once_share_an_upload_and_an_open_file(fake: FakeWaveSpeed, engine: str, transport: str) -> None:
    shared, other = io.BytesIO(bytes(CHUNK + 1)), io.BytesIO(b"other")
    images = [Image("PNG", b"%d" % number) for number in range(3)]
    inputs = [{"a": shared, "b": [other, images[number % 3]], "n": number} for number in range(12)]
    inputs += [{"b": [shared], "a": other, "c": images, "n": number} for number in range(12, 24)]
    submissions_at_once(fake, engine, inputs, transport)
    assert sorted(map(len, fake.files.values())) == [4, 4, 4, 5, CHUNK + 1]
    assert len(tickets(fake)) == 5
    for call in fake.calls:
        number = call.input["n"]
        urls = [call.input["a"], call.input["b"][0]]
        assert [stored(fake, url) for url in urls[:: 1 if number < 12 else -1]] == [bytes(CHUNK + 1), b"other"]
    assert len(fake.calls) == 24


class Waiting(io.BytesIO):
    """A file that is uploaded when so many are at once."""

    def __init__(self, content: bytes, at_once: threading.Barrier) -> None:
        super().__init__(content)
        self.at_once, self.reads = at_once, 0

    def read(self, size: int | None = -1) -> bytes:
        self.reads += 1
        if self.reads == 6:  # the upload's first read, after those of its kind and its digest
            self.at_once.wait(10)
        return super().read(size)


@pytest.mark.parametrize("engine", ["sync", "async"])
def test_a_file_of_200_mib_in_an_input_passes_in_flat_memory(fake: FakeWaveSpeed, tmp_path: Path, engine: str) -> None:
    (tmp_path / "small").write_bytes(b"x")
    with (tmp_path / "large").open("wb") as file:
        file.truncate(LARGEST_UPLOAD)
    done = subprocess.run([sys.executable, "-c", MEMORY, engine, fake.url, tmp_path], capture_output=True, check=False)
    assert done.stderr == b""
    assert float(done.stdout) < 20
    assert [len(stored(fake, call.input["video"])) for call in fake.calls] == [1, LARGEST_UPLOAD]


MEMORY = f"""
import asyncio, sys
from pathlib import Path
sys.path.append({str(ROOT)!r})
from tests.overlay.files.transfers import peak
from wavespeed_client import AsyncWaveSpeed, WaveSpeed

engine, url, folder = sys.argv[1:]
if engine == "sync":
    with WaveSpeed("test-key", base_url=url) as ws:
        ws.submit("a/b", {{"video": Path(folder, "small")}})
        before = peak()
        ws.submit("a/b", {{"video": Path(folder, "large")}})
else:
    async def main():
        global before
        async with AsyncWaveSpeed("test-key", base_url=url) as ws:
            await ws.submit("a/b", {{"video": Path(folder, "small")}})
            before = peak()
            await ws.submit("a/b", {{"video": Path(folder, "large")}})
    asyncio.run(main())
print(peak() - before)
"""


@pytest.mark.parametrize("engine", ["sync", "async"])
def test_four_are_uploaded_at_once(fake: FakeWaveSpeed, engine: str) -> None:
    barrier = threading.Barrier(AT_ONCE)  # breaks, and with it the upload, if there are fewer
    files = [Waiting(b"%d" % number, barrier) for number in range(2 * AT_ONCE)]
    submissions_at_once(fake, engine, [{"images": files}])
    assert sorted(fake.files.values()) == [b"%d" % number for number in range(2 * AT_ONCE)]


def test_a_cancelled_upload_leaves_an_open_file_where_it_stood(fake: FakeWaveSpeed, storage: Storage) -> None:
    reading, go_on = threading.Event(), threading.Event()

    class Slow(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            reading.set()
            go_on.wait(10)
            return super().read(size)

    file = Slow(bytes(3 * CHUNK))

    async def run() -> None:
        async with AsyncWaveSpeed(fake.api_key, base_url=fake.url) as ws:
            task = asyncio.create_task(ws.submit(MODEL, {"image": file}))
            await asyncio.to_thread(reading.wait, 10)
            task.cancel()
            await asyncio.sleep(0)
            assert not task.done()
            go_on.set()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert file.tell() == 0
            await ws.submit(MODEL, {"image": file})

    asyncio.run(run())
    assert list(fake.files.values()) == [bytes(3 * CHUNK)]
    assert len(fake.calls) == 1
