"""Files inside inputs that cannot be read or uploaded: their field is named, and nothing is submitted."""

import io
import os
from collections.abc import Callable
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any

import pytest

from tests.conftest import Connect, Driven
from tests.overlay.files.uploading import MODEL, Image, stored
from wavespeed_client import (
    AuthenticationError,
    InvalidInputError,
    InvalidModelError,
    PermissionDeniedError,
    ServerError,
    WaveSpeedError,
)
from wavespeed_client.files.upload import LARGEST_UPLOAD
from wavespeed_client.files.uploads import AT_ONCE
from wavespeed_client.testing import FakeWaveSpeed

pytestmark = pytest.mark.promise("files-first")


class Broken(Image):
    def save(self, fp: Any, format: str) -> None:
        raise KeyError(format)


class Lax:
    """An image of another library that can be written in any format."""

    def __init__(self, format: Any) -> None:
        self.format = format

    def save(self, fp: Any, format: str) -> None:
        fp.write(b"image")


class Odd(io.BytesIO):
    """A file of another library whose `read` may do anything."""

    name = "odd.png"

    def __init__(self, read: Callable[[bytes], Any]) -> None:
        super().__init__(b"odd")
        self.change = read

    def read(self, size: int | None = -1) -> Any:
        return self.change(super().read(size))


def cut_off(_: bytes) -> bytes:
    raise EOFError("Compressed file ended")


class Upload:
    """A file that is read by coroutines, as Starlette's are."""

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


def test_everything_else_is_checked_before_anything_is_uploaded(ws: Driven, fake: FakeWaveSpeed) -> None:
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


def test_one_failed_upload_ends_the_others(connect: Connect) -> None:
    files = [io.BytesIO(bytes([number])) for number in range(2 * AT_ONCE)]
    # Not the shared stand-in: a late upload of an earlier test would take the refusal.
    with FakeWaveSpeed() as own:
        own.refuse(403, on="storage", times=1)
        with pytest.raises(PermissionDeniedError, match=r"^images\[\d\] could not be uploaded"):
            connect(own.api_key, base_url=own.url).submit(MODEL, {"images": files})
        assert own.calls == []
    assert [file.tell() for file in files] == [0] * len(files)
