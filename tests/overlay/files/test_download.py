"""Downloads: what the storage host saw, and what is on disk afterwards."""

import base64
import os
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

import pytest

from tests.conftest import Driven
from tests.overlay.files.conftest import Storage, not_permitted
from tests.servers.raw import RawServer, http
from wavespeed_client import (
    APIConnectionError,
    ConfigurationError,
    InvalidInputError,
    NotFoundError,
    Task,
    UnexpectedResponseError,
)
from wavespeed_client.testing import FakeWaveSpeed

pytestmark = pytest.mark.promise("storage-key", "download")


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
    stem, dot, ending = name.partition(".")
    names = [name, f"{stem}-2{dot}{ending}", f"{stem}-3{dot}{ending}"]
    for to, expected in zip((f"{folder}/", folder, str(folder)), names, strict=True):
        written = ws.download(storage.url + path, to)
        assert written == folder / expected
        assert written.read_bytes() == b"xxx"
    assert sorted(found for found in tmp_path.rglob("*") if found.is_file()) == sorted(folder / each for each in names)


def test_a_download_sends_no_key_and_reports_its_progress(ws: Driven, storage: Storage, tmp_path: Path) -> None:
    seen: list[tuple[int, int | None]] = []
    size = 3_000_000
    url = f"{storage.url}/bytes/{size}"
    target = ws.download(url, tmp_path / "a", on_progress=lambda done, total: seen.append((done, total)))
    assert target.stat().st_size == size
    assert seen[0] == (0, size)
    assert seen[-1] == (size, size)
    assert sorted(seen) == seen
    (got,) = storage.gets
    assert set(got.headers) == {"host", "accept-encoding", "user-agent"}


def test_redirects_are_followed_up_to_five_and_over_the_web_only(ws: Driven, storage: Storage, tmp_path: Path) -> None:
    assert ws.download(f"{storage.url}/hop/5", tmp_path / "a").read_bytes() == b"xxxxx"
    for path, reason in (("/hop/6", "more than 5 times"), ("/away", "must begin with https://")):
        with pytest.raises(UnexpectedResponseError, match=reason):
            ws.download(storage.url + path, tmp_path / "b")
    assert [found.name for found in tmp_path.iterdir()] == ["a"]


def test_an_expired_output_raises_not_found(ws: Driven, fake: FakeWaveSpeed, tmp_path: Path) -> None:
    with pytest.raises(NotFoundError):
        ws.download(f"{fake.url}/media/gone.png", tmp_path / "a")
    assert list(tmp_path.iterdir()) == []


PNG = b"\x89PNG" + bytes(range(256)) * 2


@pytest.mark.parametrize(
    "text",
    [
        base64.b64encode(PNG).decode(),
        base64.encodebytes(PNG).decode(),
        base64.encodebytes(PNG).decode().replace("\n", "\r\n"),
        f" {base64.b64encode(PNG).decode()}\n",
        f"data:image/png;base64,{base64.b64encode(PNG).decode()}",
        f"DATA:image/png;name=a%2Cb.png;BASE64,{base64.b64encode(PNG).decode()}",
        f"data:image/png;base64,{quote(base64.encodebytes(PNG).decode(), safe='')}",
        f"data:;base64,{base64.encodebytes(PNG).decode()}",
        f"data:image/png,{quote(PNG)}",
    ],
)
def test_outputs_that_contain_the_file_are_decoded(ws: Driven, tmp_path: Path, text: str) -> None:
    assert ws.download(text, tmp_path / "a.png").read_bytes() == PNG
    for name in ("output.png", "output-2.png"):
        assert ws.download(text, tmp_path) == tmp_path / name
        assert (tmp_path / name).read_bytes() == PNG
    assert sorted(found.name for found in tmp_path.iterdir()) == ["a.png", "output-2.png", "output.png"]


@pytest.mark.parametrize(
    ("path", "content_type", "content", "name"),
    [
        ("/typed/picture", "image/png", b"x", "picture.png"),
        ("/typed/picture", "Image/JPG; charset=binary", b"x", "picture.jpeg"),
        ("/typed/v1.0", "video/mp4", b"x", "v1.0.mp4"),
        ("/typed/", "audio/x-wav", b"x", "output.wav"),
        ("/typed/picture", "binary/octet-stream", b"RIFF\0\0\0\0WEBPVP8 ", "picture.webp"),
        ("/typed/picture", "", b"\xff\xd8\xff\xe0", "picture.jpeg"),
        ("/typed/page", "text/html", b"<script>", "page.txt"),
        ("/typed/weights", "application/octet-stream", b"x", "weights"),
        ("/typed/a.jpg", "image/png", b"x", "a.jpg"),
        ("/typed/a.safetensors", "text/plain", b"x", "a.safetensors"),
        ("/typed/aux", "image/png", b"x", "_aux.png"),
        ("/typed/CON.tar.gz", "", b"x", "_CON.tar.gz"),
    ],
)
def test_the_ending_comes_from_the_url_else_from_the_host_else_from_the_file(
    ws: Driven, storage: Storage, tmp_path: Path, path: str, content_type: str, content: bytes, name: str
) -> None:
    storage.typed[path] = (content_type, content)
    assert ws.download(storage.url + path, tmp_path) == tmp_path / name
    assert ws.download(storage.url + path, tmp_path / "named").read_bytes() == content
    assert sorted(found.name for found in tmp_path.iterdir()) == sorted([name, "named"])


def test_in_a_folder_nothing_is_replaced_and_a_named_file_is(ws: Driven, storage: Storage, tmp_path: Path) -> None:
    (tmp_path / "1.jpeg").write_bytes(b"mine")
    (tmp_path / "1-2.jpeg").symlink_to(tmp_path / "nowhere")
    (tmp_path / "1-3.jpeg").mkdir()
    url = f"{storage.url}/bytes/3/1.jpeg"
    names = [ws.download(url, tmp_path).name for _ in range(3)]
    assert names == ["1-4.jpeg", "1-5.jpeg", "1-6.jpeg"]
    (tmp_path / "1-4.jpeg").write_bytes(b"older")
    assert ws.download(url, tmp_path / "1-4.jpeg").read_bytes() == b"xxx"
    assert (tmp_path / "1.jpeg").read_bytes() == b"mine"
    assert not (tmp_path / "nowhere").exists()
    assert len(list(tmp_path.iterdir())) == 6


def test_a_download_works_without_hard_links(
    ws: Driven, storage: Storage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Path, "hardlink_to", not_permitted)
    (tmp_path / "1.jpeg").write_bytes(b"mine")
    url = f"{storage.url}/bytes/3/1.jpeg"
    assert [ws.download(url, tmp_path).name for _ in range(2)] == ["1-2.jpeg", "1-3.jpeg"]
    contents = {found.name: found.read_bytes() for found in tmp_path.iterdir()}
    assert contents == {"1.jpeg": b"mine", "1-2.jpeg": b"xxx", "1-3.jpeg": b"xxx"}


@pytest.mark.parametrize(
    ("output", "reason"),
    [
        ("no base64!", "neither a URL nor base64"),
        ("abc", "neither a URL nor base64"),
        ("\u65e5\u672c", "neither a URL nor base64"),
        ("data:image/png;base64,no base64!", "neither a URL nor base64"),
        ("data:image/png;base64", "neither a URL nor base64"),
        ("data:,\ud800", "neither a URL nor base64"),
        ("", "is empty"),
        (" \n", "is empty"),
        ("data:image/png;base64,", "is empty"),
        ({"url": "https://e.com/a.png", "seed": 5}, "is an object: pass one of the URLs in it"),
        (["https://e.com/a.png"], "takes one output"),
        (("https://e.com/a.png",), "takes one output"),
        (b"https://e.com/a.png", "takes an output of a task, .*, not bytes"),
        (None, "takes an output of a task, .*, not NoneType"),
        (5, "takes an output of a task, .*, not int"),
        (Task(id="abc", model="a/b", status="completed"), "takes an output of a task, .*, not Task"),
    ],
)
def test_outputs_that_cannot_be_downloaded_say_what_to_do(
    ws: Driven, tmp_path: Path, output: object, reason: str
) -> None:
    for to in (tmp_path / "a", tmp_path, f"{tmp_path}/"):
        with pytest.raises(InvalidInputError, match=reason):
            ws.download(output, to)
    assert list(tmp_path.iterdir()) == []


@contextmanager
def full_disk() -> Iterator[None]:
    """Limit every file to 2 bytes, as a full disk might."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize("size", [3, 3_000_000])  # noticed when the file is closed, and while it is written
@pytest.mark.parametrize("kind", ["a URL", "base64", "a data: URI"])
def test_a_full_disk_is_an_error_and_leaves_nothing(
    ws: Driven, storage: Storage, tmp_path: Path, size: int, kind: str
) -> None:
    (tmp_path / "a").write_bytes(b"<>")
    data = base64.b64encode(bytes(size)).decode()
    output = {"a URL": f"{storage.url}/bytes/{size}", "base64": data, "a data: URI": f"data:;base64,{data}"}[kind]
    with pytest.raises(InvalidInputError, match=r"'a' cannot be written: .*File too large"), full_disk():
        ws.download(output, tmp_path / "a")
    assert {found.name: found.read_bytes() for found in tmp_path.iterdir()} == {"a": b"<>"}
    assert len(storage.gets) == (kind == "a URL")


def test_a_download_never_replaces_a_pipe_or_a_device(ws: Driven, storage: Storage, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "device").symlink_to("/dev/null")
    for name in ("pipe", "device"):
        with pytest.raises(InvalidInputError, match=rf"/{name}' is a pipe or a device, not a file"):
            ws.download(f"{storage.url}/bytes/3", tmp_path / name)
    assert storage.gets == []
    assert (tmp_path / "pipe").is_fifo()
    assert (tmp_path / "device").is_symlink()


@pytest.mark.parametrize("target", ["elsewhere/1.jpeg", "elsewhere/none.jpeg"])
def test_a_link_stays_and_the_file_behind_it_is_replaced(
    ws: Driven, storage: Storage, tmp_path: Path, target: str
) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere/1.jpeg").write_bytes(b"old")
    (tmp_path / "latest.jpeg").symlink_to(target)
    assert ws.download(f"{storage.url}/bytes/5", tmp_path / "latest.jpeg") == tmp_path / "latest.jpeg"
    assert (tmp_path / "latest.jpeg").is_symlink()
    assert (tmp_path / target).stat().st_size == 5
    assert not list(tmp_path.rglob("*.part"))


def test_places_that_cannot_be_written_are_named(ws: Driven, storage: Storage, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for to in (tmp_path / "no" / "folder", f"{tmp_path}/file/", tmp_path / "file" / "a", None, b"folder", 5):
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
    raw_server.responses.append(http(200, b"\x1f\x8b some bytes", "Content-Encoding: gzip"))
    with pytest.raises(UnexpectedResponseError, match="sent the file compressed"):
        ws.download(f"{raw_server.url}/a", tmp_path / "a")
    assert list(tmp_path.iterdir()) == []


def test_long_names_are_cut_and_impossible_ones_refused(ws: Driven, storage: Storage, tmp_path: Path) -> None:
    name = "%E6%97%A5" * 100 + ".png"
    assert ws.download(f"{storage.url}/bytes/3/{name}", tmp_path).name.endswith("\u65e5.png")
    assert ws.download(f"{storage.url}/bytes/3", tmp_path / ("n" * 250)).read_bytes() == b"xxx"
    for to in (f"{tmp_path}/a\0b", f"{tmp_path}/" + "n" * 300, f"{tmp_path}/\ud800.png"):
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


def test_a_download_uses_a_proxy_without_a_scheme_and_names_an_unusable_one(
    ws: Driven, raw_server: RawServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", raw_server.url.removeprefix("http://"))
    with pytest.raises(APIConnectionError):  # it is no proxy, and gets a proxy's request
        ws.download("http://example.invalid/bytes", tmp_path / "a")
    assert raw_server.requests[0].headers["Host"] == "example.invalid"
    monkeypatch.setenv("HTTP_PROXY", "socks5://127.0.0.1:1")
    with pytest.raises(ConfigurationError, match="proxy variable"):
        ws.download("http://example.invalid/a", tmp_path / "a")
