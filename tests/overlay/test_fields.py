"""Refusals of an input: each names the field, and what to pass instead; nothing is sent."""

import io
import re
from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest

from tests.conftest import Driven
from wavespeed_client import InvalidInputError
from wavespeed_client.fields import DEEPEST, PLAIN, encoded, leaves, named
from wavespeed_client.testing import FakeWaveSpeed


class Array:
    """A value like numpy's arrays and numbers."""

    def tolist(self) -> list[int]:
        return [1]

    def __iter__(self) -> Any:
        return iter([1])


class Word(StrEnum):
    LARGE = "large"


def nested(levels: int) -> Any:
    value: Any = 1
    for _ in range(levels):
        value = [value]
    return value


def circular() -> dict[str, Any]:
    value: dict[str, Any] = {}
    value["self"] = value
    value["again"] = value
    return value


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (b"bytes", r"is bytes: pass upload\(BytesIO\(\.\.\.\), filename=\.\.\.\)"),
        (bytearray(b"x"), "is bytearray: pass upload"),
        (memoryview(b"x"), "is memoryview: pass upload"),
        (Array(), r"is Array, .*\.tolist\(\)\."),
        ({1, 2}, r"is set, .*list\(\.\.\.\)"),
        (range(3), r"is range, .*list\(\.\.\.\)"),
        (MappingProxyType({}), r"is mappingproxy, .*dict\(\.\.\.\)"),
        (datetime(2026, 1, 1, tzinfo=UTC), r"is datetime, .*\.isoformat\(\)"),
        (Decimal(1), r"is Decimal, .*float\(\.\.\.\)"),
        (1j, "is complex, .*: make text, a number, a list or a dict of it"),
        (object(), "is object, .*: make text"),
        (Path, "is type, .*: make text"),
        (float("nan"), "is nan, and JSON has no such number"),
        (float("-inf"), "is -inf, and JSON has no such number"),
        ("\ud800", "is text with half of a surrogate pair"),
        (10**5000, "is text .* or a number of thousands of digits"),
    ],
    ids=lambda value: type(value).__name__,
)
@pytest.mark.parametrize("verb", ["submit", "run", "price"])
def test_a_value_that_cannot_be_sent_is_refused_with_its_field(
    ws: Driven, fake: FakeWaveSpeed, verb: str, value: Any, reason: str
) -> None:
    inputs = {"x": {"a": 1, "x": value}, "loras[1].path[0]": {"loras": [{"path": "p"}, {"path": (value,)}]}}
    for place, given in inputs.items():
        with pytest.raises(InvalidInputError, match=f"^{re.escape(place)} {reason}"):
            getattr(ws, verb)("a/b", given)
    assert fake.requests == []


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({1: "a"}, "names must be strings; this one is 1"),
        ({"a": [{(1, 2): 1}]}, r"^a\[0\] has the name \(1, 2\): names must be strings"),
        ({"a": {b"b": 1}}, r"^a has the name b'b': names must be strings"),
        ({"a": {float("nan"): 1}}, r"^a\[nan\] contains a name that cannot be sent as JSON"),
        ({"a": nested(DEEPEST)}, r"^a is nested deeper than 100 levels, or holds itself"),
        ({"a": nested(100_000)}, r"^a is nested deeper than 100 levels"),
        (circular(), r"^self is nested deeper than 100 levels"),
        ({"a": {"b \ud800": 1}}, r"^a\['b \\ud800'\] contains a name that cannot"),
    ],
    ids=["top", "tuple", "bytes", "nan", "deep", "deeper", "circular", "surrogate"],
)
@pytest.mark.parametrize("verb", ["submit", "run", "price"])
def test_a_shape_that_cannot_be_sent_is_refused_with_its_field(
    ws: Driven, fake: FakeWaveSpeed, verb: str, given: Any, message: str
) -> None:
    with pytest.raises(InvalidInputError, match=message):
        getattr(ws, verb)("a/b", given)
    assert fake.requests == []


def test_values_that_json_can_hold_are_sent(ws: Driven, fake: FakeWaveSpeed) -> None:
    given = {"a": (1, 2.5, None, True), "size": Word.LARGE, "deep": nested(DEEPEST - 1), "\u00e4": {"": "\U0001f600"}}
    ws.submit("a/b", given)
    expected = {"a": [1, 2.5, None, True], "size": "large", "deep": nested(DEEPEST - 1), "\u00e4": {"": "\U0001f600"}}
    assert [call.input for call in fake.calls] == [expected]


def test_names_that_json_writes_as_text_are_sent_as_text(ws: Driven, fake: FakeWaveSpeed) -> None:
    ws.submit("a/b", {"map": {2: "b", None: {2.5: io.BytesIO(b"x")}, False: 1}})
    (call,) = fake.calls
    url = call.input["map"]["null"].pop("2.5")
    assert call.input == {"map": {"2": "b", "null": {}, "false": 1}}
    assert list(fake.files) == [url.removeprefix(fake.url)]


def test_a_generated_function_uploads_nothing_and_says_so() -> None:
    for file in (Path("cat.png"), io.BytesIO(b"x")):
        with pytest.raises(InvalidInputError, match=r"^images\[1\] is a file .*, which only submit, run"):
            encoded({"images": ["https://e.com/1.png", file]})


@pytest.mark.parametrize(
    ("place", "name"),
    [
        ((), "The input"),
        (("image",), "image"),
        (("loras", 0, "path"), "loras[0].path"),
        (("a b", 1, 2, "c-d"), "['a b'][1][2]['c-d']"),
        (("x" * 100 + " ",), "['" + "x" * 59 + "]"),
    ],
)
def test_places_are_written_as_in_python(place: Any, name: str) -> None:
    assert named(place) == name


def test_leaves_are_found_in_order_without_the_types_to_skip() -> None:
    given = {"a": [1, {"b": 2.0}], "c": None, "d": Word.LARGE, "e": (), "f": ["x", object]}
    assert [place for place, _ in leaves(given)] == [("a", 0), ("a", 1, "b"), ("c",), ("d",), ("f", 0), ("f", 1)]
    assert list(leaves(given, PLAIN)) == [(("d",), Word.LARGE), (("f", 1), object)]
