"""Saving tasks: what the hosts saw, and what is in the folder afterwards."""

import asyncio
import base64
import threading
from pathlib import Path
from typing import Any, Literal

import pytest

from tests.conftest import Driven, both_transports
from tests.overlay.files.conftest import Half, Storage, not_permitted
from tests.overlay.files.test_download import full_disk
from tests.overlay.files.test_odd_hosts import LITTLE, MIB, WHOLE, in_folder, peak
from tests.servers.raw import RawServer, http
from wavespeed_client import (
    APIConnectionError,
    AsyncWaveSpeed,
    ConfigurationError,
    InvalidInputError,
    NotFoundError,
    Outcome,
    ServerError,
    Task,
    TaskError,
    TaskFailedError,
    TaskTimeoutError,
    UnexpectedResponseError,
    WaveSpeed,
)
from wavespeed_client.files.places import OwnFile
from wavespeed_client.testing import FakeWaveSpeed

pytestmark = pytest.mark.promise("save", "storage-key")

PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(100))


def completed(*outputs: Any, id: str = "abc") -> Task:
    return Task(id=id, model="a/b", status="completed", outputs=outputs)


def test_each_kind_of_output_becomes_a_file_with_its_ending(ws: Driven, storage: Storage, tmp_path: Path) -> None:
    storage.typed = {"/typed/x": ("video/mp4", b"film"), "/typed/y": ("", b"\xff\xd8\xff"), "/typed/z": ("", b"what")}
    task = completed(
        f"{storage.url}/bytes/3/1.jpeg?x=/y.png",
        f"{storage.url}/typed/x",
        f"{storage.url}/typed/y",
        f"{storage.url}/typed/z",
        "A cat on a mat",
        {"label": "cat"},
        base64.encodebytes(PNG).decode(),
        "data:image/webp;base64,UklGRg==",
        "javascript:alert(1)",
    )
    names = ["1.jpeg", "2.mp4", "3.jpeg", "4.bin", "5.txt", "6.json", "7.png", "8.webp", "9.txt"]
    folder = tmp_path / "in" / "folder"
    for to in (folder, str(folder), f"{folder}/"):
        assert ws.save(task, to) == [folder / f"abc-{name}" for name in names]
    contents = [b"xxx", b"film", b"\xff\xd8\xff", b"what", b"A cat on a mat", b'{\n  "label": "cat"\n}', PNG]
    contents += [b"RIFF", b"javascript:alert(1)"]
    assert in_folder(folder) == {f"abc-{name}": content for name, content in zip(names, contents, strict=True)}
    assert sorted(storage.paths) == ["/bytes/3/1.jpeg?x=/y.png", "/typed/x", "/typed/y", "/typed/z"]
    assert {name for got in storage.gets for name in got.headers} == {"host", "accept-encoding", "user-agent"}


def test_a_task_of_the_service_is_saved(ws: Driven, fake: FakeWaveSpeed, tmp_path: Path) -> None:
    task = ws.run("a/b", {"prompt": "a cat"})
    (path,) = ws.save(task, tmp_path)
    assert path == tmp_path / f"{task.id}-1.jpeg"
    assert path.read_bytes() == ws.download(task.urls[0], tmp_path / "again").read_bytes()
    fake.script("a/b", "completed", outputs=["a caption"])
    (outcome,) = ws.run_many("a/b", [{"prompt": "a cat"}])
    assert [path.read_text() for path in ws.save(outcome, tmp_path)] == ["a caption"]


def test_a_task_that_is_saved_again_fetches_only_missing_or_empty_files(
    ws: Driven, storage: Storage, tmp_path: Path
) -> None:
    storage.typed = {"/typed/x": ("image/png", b"new")}
    task = completed(*[f"{storage.url}/bytes/3/1.jpeg", f"{storage.url}/typed/x"] * 2, "text")
    paths = ws.save(task, tmp_path)
    paths[0].unlink()
    paths[1].write_bytes(b"")
    paths[2].write_bytes(b"mine")
    paths[4].write_bytes(b"mine")
    storage.requests.clear()
    assert ws.save(task, tmp_path) == paths
    assert [path.read_bytes() for path in paths] == [b"xxx", b"new", b"mine", b"new", b"mine"]
    assert sorted(storage.paths) == ["/bytes/3/1.jpeg", "/typed/x"]
    assert len(in_folder(tmp_path)) == 5


def test_a_file_that_disappears_while_a_task_is_saved_again_is_named(
    ws: Driven, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def removed(self: OwnFile) -> Path:
        (path := self.folder / self.label).unlink()
        return path

    (tmp_path / "abc-1.txt").write_text("text")
    monkeypatch.setattr(OwnFile, "existing", removed)
    with pytest.raises(InvalidInputError, match=r"'abc-1.txt' cannot be written: .*No such file") as caught:
        ws.save(completed("text"), tmp_path)
    assert caught.value.task == completed("text")


def test_a_file_with_another_ending_is_not_taken_for_an_output(ws: Driven, storage: Storage, tmp_path: Path) -> None:
    (tmp_path / "abc-1.json").write_text("{}")
    storage.typed = {"/typed/x": ("image/png", b"x")}
    assert ws.save(completed(f"{storage.url}/typed/x"), tmp_path) == [tmp_path / "abc-1.png"]
    assert len(in_folder(tmp_path)) == 2


def test_two_tasks_with_the_same_url_endings_share_no_file(ws: Driven, storage: Storage, tmp_path: Path) -> None:
    for number in range(3):
        storage.typed[f"/{number}/1.jpeg"] = ("", f"{number}".encode())
        ws.save(completed(f"{storage.url}/{number}/1.jpeg", id=f"task-{number}"), tmp_path)
    assert in_folder(tmp_path) == {f"task-{number}-1.jpeg": f"{number}".encode() for number in range(3)}


def test_a_folder_with_the_name_of_an_output_is_not_replaced(ws: Driven, storage: Storage, tmp_path: Path) -> None:
    (tmp_path / "abc-1.jpeg").mkdir()
    with pytest.raises(InvalidInputError, match=r"'abc-1.jpeg' cannot be written") as caught:
        ws.save(completed(f"{storage.url}/bytes/3/1.jpeg"), tmp_path)
    assert caught.value.task is not None
    assert [found.name for found in tmp_path.rglob("*")] == ["abc-1.jpeg"]


def test_at_most_four_are_fetched_at_once(ws: Driven, storage: Storage, tmp_path: Path) -> None:
    storage.together = threading.Barrier(4)
    task = completed(*[f"{storage.url}/bytes/3/{number}.jpeg" for number in range(8)])
    assert len(ws.save(task, tmp_path)) == 8
    assert max(storage.at_once) == 4
    assert {path.read_bytes() for path in tmp_path.iterdir()} == {b"xxx"}


def test_on_progress_is_told_the_sum_of_all_outputs(ws: Driven, storage: Storage, tmp_path: Path) -> None:
    size = 3 * MIB
    task = completed(*[f"{storage.url}/bytes/{size}/{number}.bin" for number in range(6)], "text")
    for _ in range(2):  # complete files count, too
        seen: list[tuple[int, int | None, int]] = []
        ws.save(task, tmp_path, on_progress=lambda *now, seen=seen: seen.append((*now, threading.get_ident())))
        assert seen[-1] == (6 * size + 4, 6 * size + 4, threading.get_ident())
        assert [done for done, _, _ in seen] == sorted(done for done, _, _ in seen)
        assert {total for _, total, _ in seen} <= {None, 6 * size + 4}
        assert {thread for _, _, thread in seen} == {threading.get_ident()}
    assert len(storage.paths) == 6


def test_if_one_output_fails_the_others_are_saved(ws: Driven, storage: Storage, tmp_path: Path) -> None:
    task = completed(*[f"{storage.url}/{kind}/3/1.png" for kind in ("bytes", "refused", "bytes", "refused", "bytes")])
    with pytest.raises(NotFoundError) as caught:
        ws.save(task, tmp_path)
    assert caught.value.task is task
    assert caught.value.__notes__[0].startswith("Output 2 of task abc was not saved. Save the task again")
    assert sorted(in_folder(tmp_path)) == ["abc-1.png", "abc-3.png", "abc-5.png"]
    storage.requests.clear()
    with pytest.raises(NotFoundError):
        ws.save(task, tmp_path)
    assert storage.paths == ["/refused/3/1.png"] * 2


def test_a_failure_of_a_host_is_retried(ws: Driven, raw_server: RawServer, tmp_path: Path) -> None:
    task = completed(f"{raw_server.url}/1.png")
    raw_server.responses += [http(503, b""), WHOLE[:-1], WHOLE]
    assert ws.save(task, tmp_path)[0].read_bytes() == b"0123456789"
    raw_server.responses += [http(503, b"")] * 4
    with pytest.raises(ServerError) as caught:
        ws.save(task, tmp_path / "other")
    assert caught.value.task is task
    assert len(raw_server.requests) == 7
    assert in_folder(tmp_path / "other") == {}


@pytest.mark.parametrize("kind", ["a URL", "base64", "text"])
def test_a_full_disk_is_an_error_and_leaves_nothing(ws: Driven, storage: Storage, tmp_path: Path, kind: str) -> None:
    output = {"a URL": f"{storage.url}/bytes/3/1.png", "base64": base64.b64encode(PNG).decode(), "text": "a cat"}[kind]
    with pytest.raises(InvalidInputError, match=r"cannot be written: .*File too large") as caught, full_disk():
        ws.save(completed(output), tmp_path)
    assert caught.value.task is not None
    assert in_folder(tmp_path) == {}


@pytest.mark.parametrize("status", ["created", "processing", "unheard-of"])
def test_a_task_that_has_not_ended_is_not_saved(ws: Driven, storage: Storage, tmp_path: Path, status: str) -> None:
    task = Task(id="abc", model="a/b", status=status, outputs=(f"{storage.url}/bytes/3/1.png",))
    for found in (task, Outcome(0, {}, task, None)):
        with pytest.raises(TaskError, match="is still running") as caught:
            ws.save(found, tmp_path)
        assert caught.value.task is task
    assert (storage.paths, in_folder(tmp_path)) == ([], {})


@pytest.mark.parametrize("status", ["failed", "cancelled", "timeout", "deleted"])
def test_a_task_that_failed_is_not_saved(ws: Driven, tmp_path: Path, status: str) -> None:
    task = Task(id="abc", model="a/b", status=status, error="No cat.")
    with pytest.raises(TaskFailedError, match="No cat") as caught:
        ws.save(task, tmp_path)
    assert caught.value.task is task


def test_the_error_of_an_outcome_is_raised(ws: Driven, tmp_path: Path) -> None:
    task = Task(id="abc", model="a/b", status="processing")
    for error, known in (
        (TaskTimeoutError("Late.", task=task), task),
        (APIConnectionError("Gone."), task),
        (InvalidInputError("No cat."), None),
    ):
        with pytest.raises(type(error)) as caught:
            ws.save(Outcome(0, {}, known, error), tmp_path)
        assert caught.value is error
        assert error.task is known
    assert in_folder(tmp_path) == {}


@pytest.mark.parametrize("found", ["abc", None, 5, {"id": "abc"}, ["https://e.com/1.png"], Outcome(0, {}, None, None)])
def test_a_value_that_is_no_task_is_refused_with_advice(ws: Driven, tmp_path: Path, found: object) -> None:
    with pytest.raises(InvalidInputError, match=r"ws.save\(ws.get\(id\), folder\)"):
        ws.save(found, tmp_path)


def test_an_invalid_task_id_makes_no_path(ws: Driven, tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match="A task's id is"):
        ws.save(completed("text", id="../abc"), tmp_path / "folder")
    assert list(tmp_path.iterdir()) == []


def test_unusable_folders_and_wrong_functions_are_refused(ws: Driven, storage: Storage, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    task = completed(f"{storage.url}/bytes/3/1.png")
    for folder in (tmp_path / "file", tmp_path / "file" / "x", f"{tmp_path}/a\0b", None, 5, b"folder"):
        with pytest.raises(InvalidInputError, match=r"folder .* cannot be used") as caught:
            ws.save(task, folder)
        assert caught.value.task is task
    with pytest.raises(InvalidInputError, match="on_progress must be a function"):
        ws.save(task, tmp_path, on_progress=5)
    with pytest.raises(InvalidInputError, match="on_progress must be a function"):
        ws.download(task.urls[0], tmp_path, on_progress=5)
    assert storage.paths == []


def test_a_url_that_cannot_be_requested_is_named(ws: Driven, tmp_path: Path) -> None:
    with pytest.raises(UnexpectedResponseError, match="must begin with") as caught:
        ws.save(completed("text", "http://127.0.0.1:70000/1.png"), tmp_path)
    assert caught.value.task is not None
    assert in_folder(tmp_path) == {"abc-1.txt": b"text"}


def test_a_task_without_outputs_is_saved_as_nothing(ws: Driven, tmp_path: Path) -> None:
    assert ws.save(completed(), tmp_path / "folder") == []
    assert ws.save(completed(""), tmp_path / "folder") == [tmp_path / "folder" / "abc-1.txt"]


class Ended(BaseException):
    """An exception like KeyboardInterrupt, but one to which pytest does not react."""


@pytest.mark.parametrize("error", [OSError("mine"), Ended()])
def test_an_error_of_the_watcher_is_the_callers_own_and_leaves_nothing(
    ws: Driven, storage: Storage, tmp_path: Path, error: BaseException
) -> None:
    def watch(done: int, total: int | None) -> None:
        raise error

    task = completed(*[f"{storage.url}/bytes/{8 * MIB}/{number}.bin" for number in range(8)])
    with pytest.raises(type(error)) as caught:
        ws.save(task, tmp_path, on_progress=watch)
    assert caught.value is error
    assert len(storage.paths) < 8
    assert not [name for name in in_folder(tmp_path) if name.endswith(".part")]


def test_saving_large_outputs_keeps_memory_flat(ws: Driven, storage: Storage, tmp_path: Path) -> None:
    task = completed(*[f"{storage.url}/bytes/{24 * MIB}/{number}.bin" for number in range(5)])
    assert peak(ws.save, task, tmp_path) < LITTLE
    assert [path.stat().st_size for path in tmp_path.iterdir()] == [24 * MIB] * 5


def test_saving_works_without_hard_links(
    ws: Driven, storage: Storage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Path, "hardlink_to", not_permitted)
    task = completed(f"{storage.url}/bytes/3/1.jpeg", "text")
    for _ in range(2):
        ws.save(task, tmp_path)
    assert in_folder(tmp_path) == {"abc-1.jpeg": b"xxx", "abc-2.txt": b"text"}
    assert len(storage.paths) == 1
    monkeypatch.setattr(Path, "replace", not_permitted)
    with pytest.raises(InvalidInputError, match="Operation not permitted"):
        ws.save(completed("text", id="other"), tmp_path)
    assert len(in_folder(tmp_path)) == 2


def test_where_no_thread_can_be_started_the_error_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    with WaveSpeed("test-key") as ws:
        monkeypatch.setattr(threading.Thread, "start", refused)
        with pytest.raises(ConfigurationError, match="can't start new thread") as caught:
            ws.save(completed("text"), tmp_path)
    assert caught.value.task is not None


@both_transports
def test_a_cancelled_save_leaves_nothing(half: Half, tmp_path: Path, transport: Literal["httpx", "aiohttp"]) -> None:
    async def main() -> None:
        begun = asyncio.Event()

        def watch(done: int, total: int | None) -> None:
            if done > 1000:
                begun.set()

        async with AsyncWaveSpeed("test-key", transport=transport) as ws:
            saving = asyncio.create_task(ws.save(completed(*[half.url] * 3), tmp_path, on_progress=watch))
            await begun.wait()
            saving.cancel()
            with pytest.raises(asyncio.CancelledError):
                await saving

    asyncio.run(main())  # this waits for the threads that write
    assert in_folder(tmp_path) == {}
