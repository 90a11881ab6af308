"""Files inside inputs, as the service and its storage host see them: uploaded first, each content once."""

import io
import json
import os
import socket
from datetime import UTC, datetime
from pathlib import Path
from tempfile import SpooledTemporaryFile, TemporaryFile
from typing import Any

import pytest

from tests.conftest import Connect, Driven
from tests.overlay.files.uploading import MODEL, Image, stored, ticket, tickets
from tests.servers.raw import RawServer
from wavespeed_client import (
    APIConnectionError,
    ConfigurationError,
    CostLimitError,
    InvalidInputError,
    SubmissionUncertainError,
    TaskInput,
    UnexpectedResponseError,
)
from wavespeed_client.files import uploads
from wavespeed_client.files.upload import CHUNK, LARGEST_IN_MEMORY
from wavespeed_client.testing import FakeWaveSpeed

pytestmark = pytest.mark.promise("files-first")


def paths(fake: FakeWaveSpeed) -> list[str]:
    """Return the requests, in order, with the storage host's paths cut short."""
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
    kinds = {(wanted["filename"], wanted["content_type"]) for wanted in tickets(fake)}
    assert kinds == {
        ("cat.png", "image/png"),
        ("file", "application/octet-stream"),
        ("image.jpeg", "image/jpeg"),
        ("image.png", "image/png"),
    }
    assert paths(fake).index(f"POST /api/v3/{MODEL}") == 8
    assert given["image"] == tmp_path / "cat.png"


def test_each_content_is_uploaded_once_in_whatever_form_it_is_passed(
    ws: Driven, fake: FakeWaveSpeed, tmp_path: Path
) -> None:
    for name in ("a.png", "b.png"):
        (tmp_path / name).write_bytes(b"same")
    file = io.BytesIO(b"same")
    for files in ([tmp_path / "a.png", file, file], [tmp_path / "b.png", str(tmp_path / "a.png")], [file]):
        ws.submit(MODEL, {"images": files})
    urls = {url for call in fake.calls for url in call.input["images"]}
    assert len(urls) == 2
    assert str(tmp_path / "a.png") in urls
    assert [wanted["filename"] for wanted in tickets(fake)] == ["a.png"]
    assert list(fake.files.values()) == [b"same"]


def test_open_files_are_read_from_their_position_which_is_restored(
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


def test_files_whose_name_is_no_text_get_a_plain_name(ws: Driven, fake: FakeWaveSpeed, tmp_path: Path) -> None:
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
    assert [wanted["filename"] for wanted in tickets(fake)] == ["file"] * 3


def test_the_first_bytes_decide_the_type_of_a_file_without_a_known_ending(
    ws: Driven, fake: FakeWaveSpeed, tmp_path: Path
) -> None:
    (tmp_path / "IMG").write_bytes(b"GIF89a")
    (tmp_path / "IMG.HEIC").write_bytes(b"GIF89b")
    files = [io.BytesIO(b"\x89PNG\r\n"), tmp_path / "IMG", tmp_path / "IMG.HEIC", Image("MPO", b"")]
    ws.submit(MODEL, {"files": files})
    ws.upload(io.BytesIO(b"fLaC"), filename="a.bin")
    types = {wanted["filename"]: wanted["content_type"] for wanted in tickets(fake)}
    assert types == {
        "file.png": "image/png",
        "IMG.gif": "image/gif",
        "IMG.HEIC": "image/heic",
        "image.mpo": "application/octet-stream",
        "a.bin": "audio/flac",
    }


def test_a_large_image_is_uploaded_whole(ws: Driven, fake: FakeWaveSpeed) -> None:
    image = Image("WEBP", bytes(LARGEST_IN_MEMORY))
    ws.submit(MODEL, {"image": image})
    assert ws.upload(image)
    assert list(fake.files.values()) == [b"WEBP" + image.content] * 2
    assert [wanted["filename"] for wanted in tickets(fake)] == ["image.webp"] * 2


def test_a_lost_upload_leaves_no_uncertain_submission(ws: Driven, fake: FakeWaveSpeed, raw_server: RawServer) -> None:
    ticket(fake, f"{raw_server.url}/x")
    with pytest.raises(APIConnectionError, match=r"^image could not be uploaded, .*: The upload to .* broke off"):
        ws.submit(MODEL, {"image": io.BytesIO(b"x")})
    assert fake.calls == []


@pytest.mark.parametrize("url", ["", "file:///x", "nowhere"])
def test_an_input_is_not_submitted_if_its_ticket_has_no_usable_url(ws: Driven, fake: FakeWaveSpeed, url: str) -> None:
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


def test_max_cost_is_compared_with_the_price_of_the_input_as_sent(ws: Driven, fake: FakeWaveSpeed) -> None:
    file = io.BytesIO(b"x")
    with pytest.raises(CostLimitError):
        ws.run(MODEL, {"image": file}, max_cost=0)
    ws.run(MODEL, {"image": file}, max_cost=100)
    priced = [json.loads(request.body) for request in fake.requests if request.target.endswith("/price")]
    assert [query["inputs"] for query in priced] == [call.input for call in fake.calls] * 2
    assert stored(fake, fake.calls[0].input["image"]) == b"x"


def test_price_uploads_nothing(ws: Driven, fake: FakeWaveSpeed) -> None:
    ws.price(MODEL, {"image": Path("cat.png"), "prompt": "p"})
    (request,) = fake.requests
    assert json.loads(request.body)["inputs"] == {"image": "https://example.invalid/cat.png", "prompt": "p"}


class Changing(io.BytesIO):
    """A file with other bytes when it is read again."""

    def seek(self, place: int, whence: int = 0) -> int:
        if place == whence == 0 and self.tell():
            self.getbuffer()[0] ^= 1
        return super().seek(place, whence)


def test_a_file_that_changes_while_it_is_uploaded_is_not_submitted(ws: Driven, fake: FakeWaveSpeed) -> None:
    with pytest.raises(InvalidInputError, match="file was changed while it was uploaded"):
        ws.submit(MODEL, {"image": Changing(bytes(CHUNK + 1))})
    assert fake.calls == []
    assert set(fake.files.values()) <= {b""}


class Calendar(datetime):
    """A calendar whose today a test sets."""

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


def test_an_input_whose_files_are_not_uploaded_by_the_deadline_is_not_submitted(
    ws: Driven, fake: FakeWaveSpeed
) -> None:
    for file in (Path(__file__), io.BytesIO(b"x")):
        with pytest.raises(APIConnectionError, match=r"^image could not be uploaded, .*the time(out ended| was up)"):
            ws.run(MODEL, {"image": file}, timeout=0)
    assert fake.calls == []
    assert tickets(fake) == []


def test_a_file_that_was_uploaded_before_takes_no_time(ws: Driven, fake: FakeWaveSpeed) -> None:
    ws.submit(MODEL, {"image": Path(__file__)})
    fake.script(MODEL, "completed")
    assert ws.run(MODEL, {"image": Path(__file__)}, timeout=0).succeeded
    assert len(tickets(fake)) == 1


def test_an_upload_that_stalls_ends_with_the_time_of_its_run(ws: Driven, fake: FakeWaveSpeed) -> None:
    with socket.create_server(("127.0.0.1", 0)) as stalled:  # accepts what comes, and never responds
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
