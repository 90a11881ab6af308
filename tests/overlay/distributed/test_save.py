"""`Save`: outputs in a folder or behind fsspec, under names that a second execution finds again."""

from __future__ import annotations

import base64
import pickle
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import fsspec
import pyarrow as pa
import pytest

from tests.overlay.files.conftest import Storage
from wavespeed_client import ConfigurationError, InvalidInputError
from wavespeed_client.distributed import Save
from wavespeed_client.distributed.columns import SAVED
from wavespeed_client.distributed.folders import is_object_store

pytestmark = pytest.mark.promise("distributed-save")

PNG = b"\x89PNG\r\n\x1a\nrest"
OUTPUTS = ["text, and no URL", '{"labels": ["cat"]}', "data:image/png;base64," + base64.b64encode(PNG).decode()]


@pytest.fixture(params=["local", "memory", "bucket"])
def folder(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A local folder, one in another file system, and a bucket."""
    if request.param == "local":
        yield str(tmp_path / "cats")
        return
    if request.param == "bucket":
        monkeypatch.setattr("wavespeed_client.distributed.folders.OBJECT_STORES", frozenset({"memory"}))
    yield f"memory://{tmp_path.name}/cats"
    fsspec.filesystem("memory").store.clear()


def row_of(outputs: Any, task_id: Any = "task-1", status: Any = "completed") -> dict[str, Any]:
    return {"id": 1, "task_id": task_id, "status": status, "outputs": outputs}


def content(path: str) -> bytes:
    with fsspec.open(path, "rb") as file:
        return bytes(file.read())


def names(folder: str) -> list[str]:
    system, root = fsspec.url_to_fs(folder)
    return sorted(path.rpartition("/")[2] for path in system.find(root))


def test_outputs_get_the_name_of_their_task(folder: str, storage: Storage) -> None:
    storage.typed["/a/1.jpeg"] = ("image/jpeg", b"jpeg")
    (found,) = Save(folder).rows([row_of([f"{storage.url}/a/1.jpeg", *OUTPUTS])])
    assert found["save_error"] is None
    expected = ["task-1-1.jpeg", "task-1-2.txt", "task-1-3.json", "task-1-4.png"]
    assert [path.rpartition("/")[2] for path in found["saved"]] == names(folder) == expected
    contents = [content(path) for path in found["saved"]]
    assert contents == [b"jpeg", OUTPUTS[0].encode(), b'{\n  "labels": [\n    "cat"\n  ]\n}', PNG]
    assert all(path.startswith(("memory://", "/")) for path in found["saved"])


def test_a_second_execution_fetches_nothing(folder: str, storage: Storage) -> None:
    storage.typed["/unnamed"] = ("image/webp", b"webp")  # its ending is known once it is downloaded
    row = row_of([f"{storage.url}/bytes/9/a.png", f"{storage.url}/unnamed", *OUTPUTS])
    first = Save(folder).rows([row])
    gets = len(storage.gets)
    assert Save(folder).rows([row]) == first
    assert gets == len(storage.gets) == 2
    assert first[0]["saved"][1].endswith("task-1-2.webp")


def test_rows_that_share_a_task_share_its_files(folder: str, storage: Storage) -> None:
    rows = [row_of([f"{storage.url}/bytes/9/a.png", *OUTPUTS])] * 8
    found = Save(folder).rows(rows)
    assert found == [found[0]] * 8
    assert (found[0]["save_error"], len(storage.gets)) == (None, 1)


def test_a_file_that_another_worker_has_saved_meanwhile_is_kept(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def taken(self: Any, one: str, two: str, **_: Any) -> None:
        self.cp_file(one, two)
        raise FileExistsError(two)

    monkeypatch.setattr(type(fsspec.filesystem("memory")), "mv", taken, raising=False)
    url = f"memory://{tmp_path.name}/cats"
    (found,) = Save(url).rows([row_of(["fine"])])
    assert (found["saved"], found["save_error"]) == ([f"memory:///{tmp_path.name}/cats/task-1-1.txt"], None)
    assert names(url) == ["task-1-1.txt"]


def test_hosts_get_requests_without_a_key(folder: str, storage: Storage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WAVESPEED_API_KEY", "test-key")
    Save(folder).rows([row_of([f"{storage.url}/bytes/9"])])
    (request,) = storage.gets
    assert b"test-key" not in request
    assert not {"authorization", "cookie"} & set(request.headers)


def test_an_output_that_cannot_be_saved_is_reported_in_its_row(folder: str, storage: Storage) -> None:
    outputs = ["http://127.0.0.1:1/gone.png", "fine", f"{storage.url}/bytes/5"]
    one, two = Save(folder).rows([row_of(outputs), row_of(["fine"], "task-2")])
    assert [path and path.rpartition("/")[2] for path in one["saved"]] == [None, "task-1-2.txt", "task-1-3.bin"]
    assert one["save_error"]
    assert (two["save_error"], len(two["saved"])) == (None, 1)


@pytest.mark.parametrize(
    "row",
    [
        row_of(["a"], "../evil"),
        row_of(["a"], None),
        row_of(None),
        row_of("https://example.com/a.png"),
        row_of([None]),
        row_of([7]),
        {"status": "completed"},
        {},
        None,
        "text",
    ],
)
def test_an_odd_row_is_reported_and_raises_nothing(tmp_path: Path, row: Any) -> None:
    one, two = Save(str(tmp_path / "cats")).rows([row, row_of(["fine"], "task-2")])
    assert one["saved"] == []
    assert one["save_error"]
    assert two["save_error"] is None
    assert names(str(tmp_path / "cats")) == ["task-2-1.txt"]


@pytest.mark.parametrize("status", ["failed", None, "processing"])
def test_a_row_without_a_completed_task_has_nothing_to_save(tmp_path: Path, status: Any) -> None:
    (found,) = Save(str(tmp_path)).rows([row_of([], None, status)])
    assert (found["saved"], found["save_error"]) == ([], None)


def test_a_table_gets_its_columns(folder: str) -> None:
    columns = {"my_task_id": ["task-1", "task-2"], "my_status": ["completed", "failed"], "my_outputs": [["a"], []]}
    found = Save(folder, prefix="my_")(pa.table(columns))
    assert found.column_names == [*columns, "my_saved", "my_save_error"]
    assert [len(saved) for saved in found.column("my_saved").to_pylist()] == [1, 0]
    assert found.column("my_save_error").to_pylist() == [None, None]
    assert Save(folder)(pa.table({})).column_names == list(SAVED)


def test_rows_that_did_not_come_from_generate_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="no column 'task_id'"):
        Save(str(tmp_path))(pa.table({"outputs": [["a"]]}))
    with pytest.raises(ConfigurationError, match="a column 'saved' already"):
        Save(str(tmp_path)).rows([{**row_of(["a"]), "saved": True}])
    with pytest.raises(ConfigurationError, match='batch_format="pyarrow"'):
        Save(str(tmp_path))([row_of(["a"])])


def test_a_failed_rename_leaves_no_partial_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def fail(self: Any, one: str, two: str, **_: Any) -> None:
        raise OSError("no rename here")

    monkeypatch.setattr(type(fsspec.filesystem("memory")), "mv", fail, raising=False)
    url = f"memory://{tmp_path.name}/cats"
    (found,) = Save(url).rows([row_of(["fine"])])
    assert (found["saved"], found["save_error"]) == ([None], "no rename here")
    assert names(url) == []


def test_an_empty_file_is_fetched_again(folder: str, storage: Storage) -> None:
    system, root = fsspec.url_to_fs(folder)
    system.makedirs(root, exist_ok=True)
    system.pipe_file(f"{root}/task-1-1.png", b"")
    (found,) = Save(folder).rows([row_of([f"{storage.url}/bytes/5/a.png"])])
    assert found["save_error"] is None
    assert content(found["saved"][0]) != b""


def test_no_more_than_max_at_once_files_are_fetched_at_once(tmp_path: Path, storage: Storage) -> None:
    rows = [row_of([f"{storage.url}/bytes/{size}"], f"task-{size}") for size in range(1, 21)]
    found = Save(str(tmp_path), max_at_once=3).rows(rows)
    assert [row["save_error"] for row in found] == [None] * 20
    assert max(storage.at_once) <= 3


def test_a_relative_folder_is_the_same_for_every_worker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    given: list[Any] = ["cats", Path("cats"), "file://cats", f"file://{tmp_path}/cats"]
    saved = pickle.loads(pickle.dumps([Save(folder) for folder in given]))
    monkeypatch.chdir("/")
    assert {save.folder for save in saved} == {str(tmp_path / "cats")}
    assert saved[0].rows([row_of(["fine"])])[0]["saved"] == [str(tmp_path / "cats" / "task-1-1.txt")]


@pytest.mark.promise("distributed-secrets")
@pytest.mark.parametrize("before", ["", "simplecache::", "zip://*.png::"])
def test_a_password_in_the_folder_is_refused(before: str) -> None:
    with pytest.raises(ConfigurationError, match="holds a password") as caught:
        Save(f"{before}sftp://user:pw-1234@host/cats")
    assert "pw-1234" not in str(caught.value)
    assert Save(f"{before}sftp://user@host/a:b@c").folder == f"{before}sftp://user@host/a:b@c"


@pytest.mark.parametrize("folder", ["", " ", None, 7, b"cats", "a\0b", "s3://[bucket"])
def test_an_invalid_folder_is_refused(folder: Any) -> None:
    with pytest.raises(ConfigurationError, match="folder must be"):
        Save(folder)


@pytest.mark.parametrize("changed", [{"max_at_once": 0}, {"timeout": 0}, {"timeout": "1"}, {"prefix": None}])
def test_a_wrong_argument_is_refused(changed: dict[str, Any]) -> None:
    with pytest.raises(InvalidInputError):
        Save("cats", **changed)


def test_a_folder_that_cannot_be_used_raises(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="nothing://cats cannot be used"):
        Save("nothing://cats").rows([row_of(["a"])])
    (tmp_path / "file").write_text("")
    with pytest.raises(InvalidInputError, match="cannot be used"):
        Save(str(tmp_path / "file")).rows([row_of(["a"])])
    assert Save("nothing://cats").rows([]) == []


def test_buckets_are_known_by_their_protocol() -> None:
    class System:
        protocol: Any = ("s3", "s3a")

    assert is_object_store(System())
    assert not is_object_store(fsspec.filesystem("memory"))
