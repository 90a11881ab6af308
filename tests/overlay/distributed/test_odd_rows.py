"""Rows of any kind: each comes back with its outcome, none raises an error, and equal ones are paid for once."""

from __future__ import annotations

import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.overlay.distributed.conftest import Stage
from tests.overlay.distributed.test_rows import NAType, Scalar
from tests.servers.in_process import Service
from wavespeed_client.distributed.columns import GENERATED

pytestmark = pytest.mark.promise("distributed-once")

quick = settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)


class Hostile:
    """A value that fails whenever it is used."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        raise RuntimeError(f"no {name}")

    def __ne__(self, other: object) -> bool:
        raise RuntimeError("not to be compared")

    __hash__ = None  # type: ignore[assignment]


def in_circles() -> list[Any]:
    found: list[Any] = []
    found.append(found)
    return found


PLAIN = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5)
SPECIAL = (
    st.binary(max_size=5)
    | st.decimals()
    | st.datetimes()
    | st.sampled_from([Path("not there.png"), NAType(), Hostile(), in_circles(), object(), int, memoryview(b"ab")])
    | PLAIN.map(Scalar)
)
VALUES = st.recursive(
    PLAIN | SPECIAL,
    lambda children: st.lists(children, max_size=3) | st.dictionaries(st.text(max_size=3) | st.integers(), children),
    max_leaves=5,
)
KEYS = st.sampled_from([1, 1.0, "1", 2, Scalar(2), Decimal(2), b"\x01", datetime.date(2026, 11, 26)]) | VALUES
SOUND_ROWS = st.fixed_dictionaries({"id": st.sampled_from([1, 1.0, "1", 2]), "tag": st.just("a"), "odd": VALUES})
ROWS = SOUND_ROWS | st.fixed_dictionaries(
    {}, optional={"id": KEYS, "tag": st.sampled_from(["a", "b", None, float("nan")]), "odd": VALUES, "own": VALUES}
)


def check(found: list[dict[str, Any]], service: Service, before: int) -> None:
    """Check that each row has its columns, and that there are as many submissions as new tasks."""
    for row in found:
        assert row.keys() >= GENERATED.keys()
        assert (row["status"] == "completed") == (row["error"] is None)
        assert not row["uncertain"]
    tasks = {row["task_id"] for row in found if row["task_id"] is not None}
    assert len(service.submitted) - before <= len(tasks)


@pytest.mark.no_cover
@quick
@given(rows=st.lists(ROWS | st.sampled_from([None, "text", 7]), max_size=6))
def test_odd_dicts_keep_their_columns_and_are_submitted_once(stage: Stage, service: Service, rows: list[Any]) -> None:
    before = len(service.submitted)
    made = stage(fields=["tag", "odd"])
    found = made.rows(rows)
    assert len(found) == len(rows)
    for row, given_row in zip(found, rows, strict=True):
        own = given_row if isinstance(given_row, dict) else {}
        assert all(row[name] is value for name, value in own.items())
    check(found, service, before)
    between = len(service.submitted)
    again = made.rows(rows)
    assert [row["task_id"] for row in again] == [row["task_id"] for row in found]
    assert len(service.submitted) == between


OF_TYPE: dict[Any, st.SearchStrategy[Any]] = {
    pa.int64(): st.integers(-(2**63), 2**63 - 1),
    pa.float64(): st.floats(),
    pa.string(): st.text(st.characters(codec="utf-8"), max_size=5),
    pa.binary(): st.binary(max_size=5),
    pa.bool_(): st.booleans(),
    pa.list_(pa.string()): st.lists(st.none() | st.text(st.characters(codec="utf-8"), max_size=3), max_size=3),
    pa.timestamp("ns"): st.integers(-(2**63), 2**63 - 1),
    pa.date32(): st.integers(-(2**31), 2**31 - 1),
}


NAMES = st.lists(st.sampled_from(["a", "b", None]), min_size=4, max_size=4)


@st.composite
def tables(draw: st.DrawFn) -> Any:
    count = draw(st.integers(0, 4))
    columns: dict[str, Any] = {}
    for name in ("id", "odd", "own"):
        kind = draw(st.sampled_from(list(OF_TYPE)))
        values = draw(st.lists(st.none() | OF_TYPE[kind], min_size=count, max_size=count))
        columns[name] = pa.array(values, kind)
    columns["tag"] = pa.array(draw(NAMES)[:count], pa.string())
    return pa.table(columns)


@quick
@given(table=tables())
def test_odd_tables_keep_their_columns_untouched(stage: Stage, service: Service, table: Any) -> None:
    before = len(service.submitted)
    found = stage(fields=["tag", "odd"])(table)
    assert found.select(table.column_names).schema == table.schema
    for name in table.column_names:
        assert found.column(name).combine_chunks().buffers()[-1] == table.column(name).combine_chunks().buffers()[-1]
    check(found.select(list(GENERATED)).to_pylist(), service, before)
