"""`Generate`, executed again and again: each row is paid for once, and no row raises."""

from __future__ import annotations

import asyncio
import logging
import pickle
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import psycopg
import pyarrow as pa
import pytest

from tests.overlay.batch.postgres.counting import CountingService
from tests.overlay.distributed.conftest import Stage, rows_of
from tests.servers.faults import in_thread
from tests.servers.in_process import Service, refusal
from wavespeed_client import (
    APIConnectionError,
    AuthenticationError,
    ConfigurationError,
    InvalidInputError,
    NotFoundError,
    PermissionDeniedError,
    WaveSpeedError,
)
from wavespeed_client.distributed import Generate
from wavespeed_client.distributed.columns import GENERATED
from wavespeed_client.testing import FakeWaveSpeed

pytestmark = pytest.mark.promise("distributed-once")

GIVEN: dict[str, Any] = {"fields": ["prompt"], "key": "id", "journal": "env:WAVESPEED_JOURNAL", "batch": "cats"}


def test_rows_come_back_in_their_order_with_their_tasks(stage: Stage, service: Service) -> None:
    given = [{**row, "own": object()} for row in rows_of(30)]
    found = stage().rows(iter(given))
    assert [{name: row[name] for name in ("id", "tag", "own")} for row in found] == given
    assert sorted(service.submitted) == sorted(row["tag"] for row in given)
    for row in found:
        assert row["task_id"].startswith(f"{row['tag']}-")
        assert row["outputs"] == [f"https://example.com/{row['task_id']}"]
        assert (row["status"], row["error"], row["uncertain"]) == ("completed", None, False)


def test_a_second_execution_sends_nothing(stage: Stage, service: Service) -> None:
    first = stage().rows(rows_of(20))
    polled = service.polled.copy()
    assert stage().rows(reversed(rows_of(20))) == first[::-1]
    assert stage().rows(rows_of(10)[3:]) == first[3:10]
    assert len(service.submitted) == 20
    assert service.polled == polled


def test_the_key_distinguishes_equal_inputs(stage: Stage, service: Service) -> None:
    rows = [{"id": 1, "tag": "a"}, {"id": 2, "tag": "a"}, {"id": 1.0, "tag": "a"}, {"id": 1, "tag": "b"}]
    found = [row["task_id"] for row in stage().rows(rows)]
    assert len(service.submitted) == 3
    assert found[0] == found[2]
    assert len(set(found)) == 3


def test_a_table_comes_back_with_its_own_columns_untouched(stage: Stage, service: Service) -> None:
    table = pa.table(
        {
            "id": pa.array([1, 2, 3], pa.int32()),
            "tag": ["a", None, "c"],
            "when": pa.array([2**62] * 3, pa.timestamp("s")),  # no time that Python can represent
        }
    )
    found = stage()(pa.concat_tables([table.slice(0, 1), table.slice(1)]))
    assert found.select(["id", "tag", "when"]).equals(table)
    assert found.column_names == ["id", "tag", "when", *GENERATED]
    types = [str(found.schema.field(name).type).replace("element", "item") for name in GENERATED]
    assert types == [
        "string",
        "string",
        "list<item: string>",
        "string",
        "string",
        "bool",
        "double",
        "timestamp[us, tz=UTC]",
    ]
    assert sorted(service.submitted) == ["a", "c"]
    assert found.column("status").to_pylist() == ["completed", None, "completed"]
    assert found.column("error_type").to_pylist() == [None, "InvalidInputError", None]


def test_a_value_that_python_cannot_hold_is_reported_in_its_row(stage: Stage, service: Service) -> None:
    table = pa.table({"id": pa.array([0, 2**62], pa.timestamp("s")), "tag": ["a", "b"]})
    assert stage()(table).column("error_type").to_pylist() == [None, "InvalidInputError"]
    assert service.submitted == ["a"]


@pytest.mark.parametrize("columns", [{}, {"id": pa.array([], pa.int64()), "tag": pa.array([], pa.string())}])
def test_an_empty_partition_gets_its_columns_and_no_client(columns: dict[str, Any]) -> None:
    found = Generate("a/b", **GIVEN)(pa.table(columns))
    assert found.column_names == [*columns, *GENERATED]
    assert Generate("a/b", **GIVEN).rows([]) == []


@pytest.mark.parametrize(
    ("batch", "message"),
    [
        (pa.table({"id": [1], "prompt": ["a"], "error": ["e"]}), "a column 'error' already"),
        (pa.table({"id": [1], "text": ["a"]}), "no column 'prompt'; its columns are id, text"),
        (pa.table([[1], ["a"], ["b"]], ["id", "prompt", "prompt"]), "several columns 'prompt'"),
        ({"id": [1], "prompt": ["a"]}, 'pass batch_format="pyarrow"'),
        ([{"id": 1, "prompt": "a"}], r"use \.rows"),
    ],
)
def test_a_batch_of_a_wrong_form_raises_at_once(batch: Any, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        Generate("a/b", **GIVEN)(batch)


def test_rows_with_a_column_of_ours_raise_unless_there_is_a_prefix(stage: Stage, service: Service) -> None:
    rows = [{"id": 1, "tag": "a"}, {"id": 2, "tag": "b", "error": "mine"}]
    with pytest.raises(ConfigurationError, match="a column 'error' already"):
        stage().rows(rows)
    assert service.submitted == []
    _, found = stage(prefix="cat_").rows(rows)
    assert (found["error"], found["cat_error"], found["cat_status"]) == ("mine", None, "completed")


def test_constant_inputs_and_renamed_fields_are_sent(stage: Stage, service: Service) -> None:
    sent: list[dict[str, Any]] = []
    service.submission = lambda number, given: sent.append(given)
    stage(fields={"tag": "text"}, input={"size": "1024*1024"}).rows([{"id": 1, "text": "a", "size": "none"}])
    assert sent == [{"size": "1024*1024", "tag": "a"}]


@pytest.mark.parametrize(
    ("status", "kind"), [(401, AuthenticationError), (403, PermissionDeniedError), (404, NotFoundError)]
)
def test_an_error_that_affects_all_rows_raises_and_the_next_execution_submits_them(
    stage: Stage, service: Service, status: int, kind: type[WaveSpeedError]
) -> None:
    service.submission = lambda number, given: refusal(status)
    with pytest.raises(kind):
        stage(max_in_flight=4).rows(rows_of(50))
    assert len(service.submitted) < 50
    service.submission = lambda number, given: None
    found = stage().rows(rows_of(50))
    assert len(service.accepted) == 50
    assert {row["status"] for row in found} == {"completed"}


def test_a_refusal_of_one_row_is_reported_in_its_columns(stage: Stage, service: Service) -> None:
    service.submission = lambda number, given: refusal(400) if given["tag"] == "t3" else None
    found = stage().rows(rows_of(6))
    assert [row["error_type"] for row in found] == [None, None, None, "BadRequestError", None, None]
    assert found[3]["task_id"] is None


def test_a_short_outage_is_ridden_out_and_a_long_one_raises(stage: Stage, service: Service) -> None:
    ends_after = 8
    service.submission = lambda number, given: httpx.ConnectError("no route") if number < ends_after else None
    assert {row["error"] for row in stage(max_in_flight=1).rows(rows_of(3))} == {None}
    service.submission = lambda number, given: httpx.ConnectError("no route")
    with pytest.raises(APIConnectionError):
        stage(max_in_flight=1).rows(rows_of(6))
    assert sum(service.accepted.values()) == 3


def test_a_lost_response_is_reported_as_uncertain_and_never_sent_again(stage: Stage, service: Service) -> None:
    service.submission = lambda number, given: httpx.ReadError("gone") if given["tag"] == "t1" else None
    for _ in range(2):
        found = stage().rows(rows_of(3))
        assert [row["uncertain"] for row in found] == [False, True, False]
        assert found[1]["error_type"] == "SubmissionUncertainError"
    assert sorted(tag for tag in service.submitted if tag) == ["t0", "t1", "t2"]  # others look for the task


def test_the_key_must_be_in_the_environment(stage: Stage, service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    made = stage()  # without a key, and without a connection
    monkeypatch.delenv("WAVESPEED_API_KEY")
    with pytest.raises(ConfigurationError, match="WAVESPEED_API_KEY"):
        made.rows(rows_of(1))


def test_a_database_that_cannot_be_used_raises(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WAVESPEED_JOURNAL", "postgresql://user:pw@127.0.0.1:1/none")
    with pytest.raises(ConfigurationError, match="journal of the batch") as caught:
        stage().rows(rows_of(1))
    assert "pw" not in str(caught.value)


@pytest.mark.promise("distributed-secrets")
def test_generate_is_pickled_without_key_or_password(environment: None, postgres: str) -> None:
    made = Generate("a/b", **GIVEN, input={"size": "1024*1024", "mask": Path("mask.png")}, max_cost=0.5, prefix="p_")
    pickled = pickle.dumps([made, made.rows])
    password = psycopg.conninfo.conninfo_to_dict(postgres)["password"]
    assert b"test-key" not in pickled
    assert str(password).encode() not in pickled
    again, rows = pickle.loads(pickled)
    assert repr(again) == repr(made)
    assert rows([]) == []


@pytest.mark.promise("distributed-secrets")
@pytest.mark.parametrize(
    "journal",
    [
        "postgresql://user:pw-1234@host/db",
        "postgresql://user@host/db?password=pw-1234",
        "postgresql://user@host/db?sslpassword=pw-1234",
        "service=cats password=pw-1234",
    ],
)
def test_a_password_in_the_journal_is_refused(journal: str) -> None:
    with pytest.raises(ConfigurationError, match=r"holds a password.*env:NAME") as caught:
        Generate("a/b", **{**GIVEN, "journal": journal})
    assert "pw-1234" not in str(caught.value)


@pytest.mark.parametrize("journal", ["service=cats", "postgresql://user@host/db", "env:ANY"])
def test_a_journal_without_a_password_is_taken(journal: str) -> None:
    assert journal in repr(Generate("a/b", **{**GIVEN, "journal": journal}))


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"fields": []}, "fields must be"),
        ({"fields": "prompt"}, "fields must be"),
        ({"fields": None}, "fields must be"),
        ({"fields": [1]}, "fields must be"),
        ({"fields": [["prompt"]]}, "fields must be"),
        ({"fields": {"prompt": None}}, "fields must be"),
        ({"key": ""}, "key a column"),
        ({"key": None}, "key a column"),
        ({"input": {"prompt": "A cat"}}, "prompt is in fields and in input"),
        ({"input": "A cat"}, "must be a mapping"),
        ({"input": {"mask": object()}}, "mask is object"),
        ({"files": ["image"]}, "files names image"),
        ({"input": {"scale": float("nan")}}, "scale"),
        ({"files": "prompt"}, "files must be a list"),
        ({"files": None}, "files must be a list"),
        ({"files": [["prompt"]]}, "files must be a list"),
        ({"batch": " "}, "needs batch="),
        ({"batch": None}, "needs batch="),
        ({"journal": "batch.jsonl"}, "not the address of a database"),
        ({"journal": Path("batch.jsonl")}, "must be a database"),
        ({"journal": None}, "must be a database"),
        ({"max_in_flight": 0}, "max_in_flight must be"),
        ({"max_per_minute": 0.5}, "max_per_minute must be"),
        ({"timeout": -1.0}, "timeout"),
        ({"max_cost": -1.0}, "max_cost must be"),
        ({"prefix": None}, "prefix must be"),
    ],
)
def test_a_wrong_argument_is_refused_by_the_constructor(changed: dict[str, Any], message: str) -> None:
    with pytest.raises(WaveSpeedError, match=message):
        Generate("a/b", **{**GIVEN, **changed})


def test_a_wrong_model_is_refused_by_the_constructor() -> None:
    with pytest.raises(InvalidInputError, match="A model id is"):
        Generate("flux-dev", **GIVEN)


def test_an_open_file_in_input_is_refused_because_it_cannot_be_pickled(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"a")
    with (tmp_path / "a").open("rb") as file, pytest.raises(InvalidInputError, match="image in input is an open file"):
        Generate("a/b", **GIVEN, input={"image": file})


def test_one_line_is_logged_for_each_partition(
    stage: Stage, service: Service, caplog: pytest.LogCaptureFixture
) -> None:
    service.submission = lambda number, given: httpx.ReadError("gone") if given["tag"] == "t1" else None
    with caplog.at_level(logging.INFO, "wavespeed_client"):
        stage().rows([*rows_of(3), None])  # type: ignore[list-item]
        stage().rows([])
    lines = [record.getMessage() for record in caplog.records if "partition" in record.getMessage()]
    assert len(lines) == 1
    assert "a partition of 4 inputs, 2 done, 1 failed, 1 uncertain, in " in lines[0]


def test_generate_works_while_an_event_loop_runs(stage: Stage, service: Service) -> None:
    async def cell() -> list[dict[str, Any]]:
        return stage().rows(rows_of(3))

    assert [row["status"] for row in asyncio.run(cell())] == ["completed"] * 3


def test_files_are_uploaded_once_and_known_by_their_content(
    environment: None, fake: FakeWaveSpeed, monkeypatch: pytest.MonkeyPatch, unique_ids: str, tmp_path: Path
) -> None:
    monkeypatch.setenv("WAVESPEED_API_KEY", fake.api_key)
    monkeypatch.setenv("WAVESPEED_BASE_URL", fake.url)
    fake.script("a/b", "completed")
    (tmp_path / "cat.png").write_bytes(b"two")
    made = Generate("a/b", **{**GIVEN, "batch": unique_ids, "fields": ["image"], "files": ["image"]})
    rows = [{"id": 1, "image": b"one"}, {"id": 2, "image": tmp_path / "cat.png"}, {"id": 3, "image": tmp_path / "no"}]
    first = made.rows(rows)
    assert [row["error_type"] for row in first] == [None, None, "InvalidInputError"]
    assert sorted(fake.files.values()) == [b"one", b"two"]
    sent = {fake.files[urlsplit(call.input["image"]).path] for call in fake.calls}
    assert sent == {b"one", b"two"}
    rows[1]["image"] = b"two"
    assert [row["task_id"] for row in made.rows(rows)] == [row["task_id"] for row in first]
    assert (len(fake.calls), len(fake.files)) == (2, 2)


def test_a_row_that_costs_too_much_is_not_sent(stage: Stage, service: Service) -> None:
    service.price = lambda given: 0.2 if given["tag"] == "t1" else 0.1
    found = stage(max_cost=0.15).rows(rows_of(3))
    assert [row["error_type"] for row in found] == [None, "CostLimitError", None]
    assert sorted(service.submitted) == ["t0", "t2"]


def test_no_package_of_tables_is_loaded_before_there_is_a_table() -> None:
    program = "import sys, wavespeed_client.distributed; print({'pyarrow', 'fsspec'} & sys.modules.keys())"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"


def test_concurrent_partitions_with_the_same_rows_submit_each_row_once(
    environment: None, monkeypatch: pytest.MonkeyPatch, unique_ids: str
) -> None:
    """Eight threads make one call each on real connections, with all rows."""
    from concurrent.futures import ThreadPoolExecutor

    with in_thread(CountingService()) as counted:
        monkeypatch.setenv("WAVESPEED_BASE_URL", counted.url)
        made = Generate("a/b", **{**GIVEN, "batch": unique_ids})
        rows = [{"id": number, "prompt": f"cat {number}"} for number in range(40)]
        with ThreadPoolExecutor(8) as threads:
            found = list(threads.map(lambda shift: made.rows(rows[shift:] + rows[:shift]), range(0, 40, 5)))
    assert (counted.doubled, len(counted.arrived)) == (0, 40)
    tasks = {row["prompt"]: row["task_id"] for row in found[0]}
    for partition in found:
        assert {row["prompt"]: row["task_id"] for row in partition} == tasks
        assert all(row["created_at"] <= datetime.now(UTC) for row in partition)
