"""The input that a row becomes, and its key."""

from __future__ import annotations

import datetime
import uuid
from decimal import Decimal
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from wavespeed_client import InvalidInputError
from wavespeed_client.distributed.rows import Recipe, is_missing, look_in, name_of, plain


class Scalar:
    """A number, as numpy has them."""

    def __init__(self, value: Any) -> None:
        self.value = value

    def tolist(self) -> Any:
        return self.value


class NAType:
    """The missing value of pandas: it compares to nothing."""

    def __ne__(self, other: object) -> Any:
        raise TypeError("boolean value of NA is ambiguous")

    __hash__ = None  # type: ignore[assignment]


def prepared(row: Any, fields: dict[str, str] | None = None, **changed: Any) -> Any:
    arguments: dict[str, Any] = {"constants": {}, "files": frozenset(), **changed}
    return Recipe("id", fields or {"prompt": "prompt", "seed": "seed"}, **arguments).prepare(look_in(row))


def test_columns_become_fields() -> None:
    row = {"id": 7, "caption": "A cat", "other": object()}
    found = prepared(row, {"prompt": "caption"}, constants={"size": "1024*1024"})
    assert (found.name, found.input) == ("7", {"size": "1024*1024", "prompt": "A cat"})


@pytest.mark.parametrize("missing", [None, float("nan"), NAType(), Scalar(float("nan")), Decimal("nan")])
def test_a_missing_value_is_not_sent(missing: Any) -> None:
    assert prepared({"id": 7, "prompt": "A cat", "seed": missing}).input == {"prompt": "A cat"}
    with pytest.raises(InvalidInputError, match=r"no value for any of its fields \(prompt, seed\)"):
        prepared({"id": 7, "prompt": missing, "seed": None})


def test_none_as_a_value_is_sent() -> None:
    assert prepared({"id": 7, "prompt": "", "seed": 0}).input == {"prompt": "", "seed": 0}


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (Scalar(3), 3),
        ([Scalar(3), (Scalar([1, 2]),)], [3, [[1, 2]]]),
        (Scalar([Scalar([1, 2]), [Scalar(3)]]), [[1, 2], [3]]),
        ({"a": {"b": Scalar("c")}}, {"a": {"b": "c"}}),
        (Path("a.png"), Path("a.png")),
        (memoryview(b"ab"), memoryview(b"ab")),
    ],
)
def test_values_of_numpy_become_plain(value: Any, expected: Any) -> None:
    assert plain(value) == expected


@pytest.mark.parametrize(
    ("values", "name"),
    [
        ([1, 1.0, "1", Scalar(1), Scalar(1.0), Decimal("1.0")], "1"),
        (["cat 1"], "cat 1"),
        ([0.5, Decimal("0.5")], "0.5"),
        ([b"\x01\xff"], "0x01ff"),
        ([datetime.date(2026, 11, 26)], "2026-11-26"),
        ([uuid.UUID(int=1)], "00000000-0000-0000-0000-000000000001"),
        ([1.5, Decimal("1.5"), Decimal("1.50"), Scalar(1.5)], "1.5"),
    ],
)
def test_a_key_has_one_text_whatever_type_its_column_has(values: list[Any], name: str) -> None:
    assert {name_of("id", value) for value in values} == {name}


@pytest.mark.parametrize("value", [None, float("nan"), "", NAType(), [1], {"a": 1}, object()])
def test_a_row_without_a_key_is_refused(value: Any) -> None:
    with pytest.raises(InvalidInputError, match="'id'"):
        name_of("id", value)


@pytest.mark.parametrize("row", [{"id": 7, "prompt": "A cat"}, {"prompt": "A cat", "seed": 1}])
def test_a_column_that_is_missing_is_named(row: Any) -> None:
    with pytest.raises(InvalidInputError, match=r"no column '(seed|id)'"):
        prepared(row)


@pytest.mark.parametrize("row", [None, "A cat", 7, ["A cat"]])
def test_a_value_that_is_no_row_is_refused(row: Any) -> None:
    with pytest.raises(InvalidInputError, match="must be a dict of columns"):
        prepared(row)


def test_bytes_of_a_file_field_are_files() -> None:
    row = {"id": 7, "prompt": "A cat", "seed": [b"one", "https://example.com/two.png", bytearray(b"three")]}
    one, two, three = prepared(row, files=frozenset({"seed"})).input["seed"]
    assert isinstance(one, BytesIO)
    assert (one.read(), two, three.read()) == (b"one", "https://example.com/two.png", b"three")
    assert prepared(row).input["seed"][0] == b"one"


def test_bytes_of_another_field_are_refused_with_what_to_do() -> None:
    with pytest.raises(InvalidInputError, match="seed is bytes: name it in files="):
        prepared({"id": 7, "prompt": "A cat", "seed": b"one"})


def test_empty_and_false_values_are_not_missing() -> None:
    assert not any(map(is_missing, ["", b"", [], {}, 0, False, float("inf"), Path("a")]))
