"""What a change of an input means, and that scripts/compatibility says the same about random changes."""

from __future__ import annotations

import sys
from copy import deepcopy
from random import Random
from typing import Any

import pytest

from tests.conftest import ROOT
from tests.overlay.typed.schemas import mutate, plain
from wavespeed_client.catalogue.schema import facts_of, without_words
from wavespeed_client.typed.compare import Level, compare

sys.path.insert(0, str(ROOT / "scripts"))

from compatibility.change import Level as SpecLevel
from compatibility.document import Document
from compatibility.wire import WireComparison

BREAKING, BEHAVIOUR, COMPATIBLE, WORDS = Level.BREAKING, Level.BEHAVIOUR, Level.COMPATIBLE, Level.WORDS
TEXT = {"type": "string"}


def said(old: object, new: object) -> list[tuple[Level, str]]:
    """Return the changes of one field p."""
    return whole({"properties": {"p": old}}, {"properties": {"p": new}})


def whole(old: object, new: object) -> list[tuple[Level, str]]:
    return [(change.level, str(change)) for change in compare(facts_of(old) or {}, facts_of(new) or {})]


FIELDS: list[tuple[dict[str, Any], dict[str, Any], Level, str]] = [
    ({}, TEXT, BREAKING, "p was anything, is now string"),
    (TEXT, {}, COMPATIBLE, "p was string, is now anything"),
    ({"type": "integer"}, {"type": "number"}, COMPATIBLE, "p was integer, is now number"),
    ({"type": "number"}, {"type": "integer"}, BREAKING, "p was number, is now integer"),
    (TEXT, {"type": ["string", "null"]}, COMPATIBLE, "p was string, is now null or string"),
    ({"type": ["string", "null"]}, TEXT, BREAKING, "p was null or string, is now string"),
    (TEXT, {**TEXT, "enum": ["a"]}, BREAKING, 'p may now be only "a"'),
    ({**TEXT, "enum": ["a"]}, TEXT, COMPATIBLE, 'p may now be other than "a"'),
    ({**TEXT, "enum": ["a", "b"]}, {**TEXT, "enum": ["a"]}, BREAKING, 'p may no longer be "b"'),
    ({**TEXT, "enum": ["a"]}, {**TEXT, "enum": ["a", "b"]}, COMPATIBLE, 'p may now be "b"'),
    ({"enum": [True]}, {"enum": [True, 1]}, COMPATIBLE, "p may now be 1"),
    ({"const": "a"}, {"enum": ["a", "b"]}, COMPATIBLE, 'p may now be "b"'),
    ({**TEXT, "maxLength": 9}, {**TEXT, "maxLength": 8}, BREAKING, "p had maxLength 9, has now 8"),
    ({**TEXT, "maxLength": 8}, {**TEXT, "maxLength": 9}, COMPATIBLE, "p had maxLength 8, has now 9"),
    ({"type": "number", "minimum": 1}, {"type": "number", "minimum": 2}, BREAKING, "p had minimum 1, has now 2"),
    ({"type": "number", "minimum": 1}, {"type": "number"}, COMPATIBLE, "p had minimum 1, has now none"),
    (TEXT, {**TEXT, "pattern": "a"}, BREAKING, 'p had pattern none, has now "a"'),
    ({**TEXT, "pattern": "a"}, {**TEXT, "pattern": "b"}, BREAKING, 'p had pattern "a", has now "b"'),
    ({**TEXT, "x-accept": "*"}, TEXT, BREAKING, "p had file true, has now none"),
    (TEXT, {**TEXT, "x-accept": "*"}, COMPATIBLE, "p had file none, has now true"),
    ({**TEXT, "default": "a"}, {**TEXT, "default": "b"}, BEHAVIOUR, 'p had default "a", has now "b"'),
    (TEXT, {**TEXT, "default": "b"}, BEHAVIOUR, 'p had default none, has now "b"'),
    (
        TEXT,
        {**TEXT, "anyOf": [TEXT, {}]},
        BREAKING,
        "p has other rules between fields now; check them in the model's documentation",
    ),
    (TEXT, {**TEXT, "deprecated": True}, COMPATIBLE, "p is now deprecated"),
    (TEXT, {**TEXT, "description": "d"}, WORDS, "p has another description"),
    ({"items": TEXT}, {"items": {"type": "integer"}}, BREAKING, "p[] was string, is now integer"),
    ({"type": "array"}, {"items": TEXT}, BREAKING, "p[] was anything, is now string"),
    ({"properties": {"q": TEXT}}, {"properties": {"r": TEXT, "q": TEXT}}, COMPATIBLE, "p.r was added, optional"),
    (
        {"type": "object", "additionalProperties": TEXT},
        {"type": "object", "additionalProperties": {"type": "null"}},
        BREAKING,
        "p.* was string, is now null",
    ),
    ({"enum": ["a", "b"]}, {"enum": ["b", "a"]}, WORDS, "the input is written differently, with the same meaning"),
    ({"enum": ["a"]}, {"const": "a"}, WORDS, "the input is written differently, with the same meaning"),
]


@pytest.mark.parametrize(("old", "new", "level", "what"), FIELDS)
def test_a_change_of_a_field_has_its_level_and_words(
    old: dict[str, Any], new: dict[str, Any], level: Level, what: str
) -> None:
    assert said(old, new) == [(level, what)]
    assert said(old, old) == said(new, new) == []


def test_a_change_of_the_set_of_fields_has_its_level_and_words() -> None:
    one, two = {"properties": {"p": TEXT}}, {"properties": {"p": TEXT, "q": TEXT}}
    assert whole(two, one) == [(BREAKING, "q was removed")]
    assert whole(one, two) == [(COMPATIBLE, "q was added, optional")]
    assert whole(one, {**two, "required": ["q"]}) == [(BREAKING, "q was added, required")]
    assert whole(one, {**one, "required": ["p"]}) == [(BREAKING, "p is now required")]
    assert whole({**one, "required": ["p"]}, one) == [(COMPATIBLE, "p is now optional")]
    assert whole(one, {**one, "additionalProperties": False}) == [(BREAKING, "the input now refuses additional fields")]
    assert whole({**one, "additionalProperties": False}, one) == [
        (COMPATIBLE, "the input now accepts additional fields")
    ]
    rules = [(BREAKING, "the input has other rules between fields now; check them in the model's documentation")]
    assert whole(one, {**one, "not": {"required": ["p"]}}) == rules
    assert whole(two, {**two, "x-order-properties": ["q", "p"]}) == [
        (WORDS, "the input is written differently, with the same meaning")
    ]
    # Type checkers refuse a dict in a variable for the class that the field has then.
    assert said({"type": "object"}, one) == [
        (BREAKING, "p was any object, has now defined fields"),
        (COMPATIBLE, "p.p was added, optional"),
    ]
    assert whole({"type": "object"}, one) == [(COMPATIBLE, "p was added, optional")]


def test_changed_descriptions_inside_rules_are_changes_of_words() -> None:
    old = {"properties": {"p": TEXT}, "if": {"properties": {"p": {"const": "a", "description": "A."}}}}
    new = {"properties": {"p": TEXT}, "if": {"properties": {"p": {"const": "a", "description": "B."}}}}
    assert whole(old, new) == [(WORDS, "the input has another description")]


# The oracle


def document(schema: dict[str, Any]) -> Document:
    body = {"required": True, "content": {"application/json": {"schema": schema}}}
    run = {"operationId": "run", "requestBody": body, "responses": {"200": {"description": "d"}}}
    return Document("d", {"openapi": "3.1.0", "info": {}, "paths": {"/run": {"post": run}}})


def oracle(old: dict[str, Any], new: dict[str, Any]) -> set[str]:
    """Return what scripts/compatibility says of the same change on the wire; a changed default is our behaviour."""
    comparison = WireComparison(document(old), document(new))
    comparison.compare()
    found: set[str] = set()
    for change in comparison.ledger.changes.values():
        if change.what.startswith("default "):
            found.add("behaviour")
        elif change.wire is not SpecLevel.NONE:
            found.add("breaking" if change.wire is SpecLevel.MAJOR else "compatible")
    return found


@pytest.mark.no_cover
def test_random_changes_mean_what_the_oracle_says() -> None:
    random = Random(2026)
    seen: dict[str, int] = {}
    for _ in range(1500):
        old = plain(random)
        new = deepcopy(old)
        for _ in range(random.randint(1, 3)):
            mutate(random, new)
        before, after = facts_of(old), facts_of(new)
        assert before is not None
        assert after is not None
        reported = {str(change.level) for change in compare(before, after)} - {"words"}
        expected = oracle(without_words(before), without_words(after))
        worst = "breaking" if "breaking" in expected else None
        # Of a field that is breaking as a whole, the rest need not be reported by both.
        assert reported == expected or (worst in reported and worst), (old, new, compare(before, after), expected)
        seen[worst or "".join(sorted(expected))] = seen.get(worst or "".join(sorted(expected)), 0) + 1
    assert {"breaking", "compatible", "behaviour", ""} <= seen.keys()
    assert min(seen[each] for each in ("breaking", "compatible", "behaviour")) > 30, seen
