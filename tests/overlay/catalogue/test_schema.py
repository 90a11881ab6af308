"""How published input schemas are read: keywords, oddities, and which fields are files."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.overlay.typed.models import PAINT, row
from wavespeed_client.catalogue.schema import (
    DEEPEST,
    MOST_SCHEMAS,
    facts_of,
    input_facts,
    is_file,
    says_file,
    without_words,
)


def field(schema: object) -> Any:
    """Return the facts of one field."""
    facts = facts_of({"type": "object", "properties": {"p": schema}})
    assert facts is not None
    return facts["properties"]["p"]


def top(**keywords: Any) -> Any:
    return facts_of({"type": "object", **keywords})


KEPT: list[dict[str, Any]] = [
    {"type": "string", "minLength": 1, "maxLength": 9, "pattern": "^a", "format": "color"},
    {"type": "integer", "minimum": 0.1, "maximum": 5, "multipleOf": 2},
    {"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1, "default": 0.5},
    {"type": "boolean", "default": False, "description": "Words.", "deprecated": True},
    {"type": "array", "items": {"type": "string"}, "minItems": 1, "maxItems": 3, "uniqueItems": True},
    {"type": "string", "enum": ["a", "b"], "default": "a"},
    {"enum": [1, True, None, "1", 2.5]},
    {"const": "fixed"},
    {"type": ["null", "string"]},
    {"type": "object", "additionalProperties": {"type": "number"}, "minProperties": 1, "maxProperties": 2},
    {"type": "object", "properties": {"a": {"type": "null"}}, "additionalProperties": False, "required": ["a"]},
    {"anyOf": [{"type": "string"}, {"type": "null"}]},
    {"oneOf": [{"type": "integer"}, {"type": "string", "enum": ["auto"]}]},
    {},
]


@pytest.mark.parametrize("schema", KEPT, ids=json.dumps)
def test_meaningful_keywords_are_kept_unchanged(schema: dict[str, Any]) -> None:
    assert field(schema) == schema


DROPPED: list[tuple[object, dict[str, Any]]] = [
    (
        {"type": "string", "title": "T", "x-ui-component": "select", "disabled": True, "maxlength": 3},
        {"type": "string"},
    ),
    ({"type": "string", "minimum": 1, "items": {"type": "string"}, "required": ["a"]}, {"type": "string"}),
    ({"type": "integer", "enum": [1, 1.0, 2], "default": 1.0}, {"type": "integer", "enum": [1, 2], "default": 1}),
    ({"type": "file"}, {}),
    ({"type": 3, "enum": "a", "required": "a", "properties": [], "minimum": True}, {}),
    ({"type": ["string"]}, {"type": "string"}),
    ({"type": "number", "default": float("nan"), "maximum": float("inf")}, {"type": "number"}),
    ({"type": "number", "enum": [float("nan"), 1]}, {"type": "number", "enum": [1]}),
    ({"type": "string", "maxLength": -1, "minLength": "2"}, {"type": "string"}),
    ({"type": "string", "nullable": True}, {"type": ["null", "string"]}),
    ({"type": "string", "enum": ["a"], "nullable": True}, {"type": ["null", "string"], "enum": ["a", None]}),
    ({"properties": {"a": True}}, {"type": "object", "properties": {"a": {}}}),
    ({"items": {"type": "integer"}}, {"type": "array", "items": {"type": "integer"}}),
    ({"type": "object", "additionalProperties": True}, {"type": "object"}),
    ({"allOf": [{"type": "string"}], "default": "a"}, {"type": "string", "default": "a"}),
    ({"allOf": [{"type": "string"}], "$ref": 3}, {"type": "string"}),
    (True, {}),
    ("string", {}),
    (None, {}),
]


@pytest.mark.parametrize(("schema", "facts"), DROPPED)
def test_meaningless_keywords_are_left_out(schema: object, facts: dict[str, Any]) -> None:
    assert field(schema) == facts


def test_a_stray_key_beside_the_properties_is_not_a_field() -> None:
    stray = top(properties={"prompt": {"type": "string"}}, seed={"type": "integer"})
    assert stray == {"type": "object", "properties": {"prompt": {"type": "string"}}}


def test_references_within_the_schema_are_followed() -> None:
    facts = top(
        properties={"a": {"$ref": "#/$defs/A", "description": "Mine."}, "b": {"$ref": "#/definitions/b~1c"}},
        **{"$defs": {"A": {"type": "integer", "description": "Theirs."}}, "definitions": {"b/c": {"type": "null"}}},
    )
    assert facts["properties"] == {"a": {"type": "integer", "description": "Mine."}, "b": {"type": "null"}}


@pytest.mark.parametrize("reference", ["#/$defs/gone", "https://example.com/schema", "#", "#/$defs/Loop", 3])
def test_a_reference_to_nothing_may_be_anything(reference: object) -> None:
    facts = facts_of({"properties": {"a": {"$ref": reference}}, "$defs": {"Loop": {"$ref": "#/$defs/Loop"}}})
    assert json.dumps(facts).count("{") < 100


def test_recursive_and_exponential_schemas_are_cut_off() -> None:
    doubling = {f"D{n}": {"properties": {side: {"$ref": f"#/$defs/D{n + 1}"} for side in "ab"}} for n in range(30)}
    facts = facts_of({"properties": {"a": {"$ref": "#/$defs/D0"}}, "$defs": doubling})
    assert json.dumps(facts).count('"properties"') <= MOST_SCHEMAS
    deep: dict[str, Any] = {}
    for _ in range(400):
        deep = {"type": "array", "items": deep, "default": [deep.get("default")]}
    assert json.dumps(field(deep)).count("items") == DEEPEST


def test_fields_that_only_a_rule_describes_are_fields() -> None:
    choice = {"if": {"properties": {"mode": {"const": "a"}}}, "then": {"properties": {"extra": {"type": "integer"}}}}
    facts = top(
        properties={"mode": {"type": "string"}},
        allOf=[
            {"properties": {"seed": {"type": "integer"}, "mode": {"enum": ["a"]}}, "required": ["seed"]},
            {"anyOf": [{"properties": {"size": {"type": "string"}}}, {"properties": {"size": {"type": "integer"}}}]},
        ],
        **choice,
    )
    assert facts["properties"] == {
        "extra": {"type": "integer"},
        "mode": {"type": "string"},
        "seed": {"type": "integer"},
        "size": {},
    }
    assert facts["required"] == ["seed"]
    assert facts["then"] == {"type": "object", "properties": {"extra": {"type": "integer"}}}


def test_a_required_field_that_is_not_described_may_be_anything() -> None:
    assert top(required=["prompt"]) == {"type": "object", "required": ["prompt"], "properties": {"prompt": {}}}


def test_rules_keep_their_meaning_and_lose_unknown_keywords() -> None:
    facts = top(**{"not": {"required": ["b", "a"], "x-hint": "h"}, "dependentRequired": {"a": ["b"]}})
    assert facts == {"type": "object", "not": {"required": ["a", "b"]}, "dependentRequired": {"a": ["b"]}}


def test_the_older_dependencies_keyword_is_rewritten_as_the_newer_ones() -> None:
    part = {"required": ["c"]}
    older = top(dependencies={"a": ["b"], "d": part, "e": [], "f": 3})
    assert older == top(dependentRequired={"a": ["b"]}, dependentSchemas={"d": part})
    assert older == {"type": "object", "dependentRequired": {"a": ["b"]}, "dependentSchemas": {"d": part}}
    odd = top(
        dependentRequired={"a": [], "b": {"required": ["c"]}}, dependentSchemas={"a": ["b"]}, patternProperties={}
    )
    assert odd == {"type": "object"}
    for facts in (older, odd):
        assert facts_of(facts) == without_words(facts) == facts


def test_fields_are_listed_as_the_service_lists_them() -> None:
    facts = top(properties={"b": {}, "a": {}, "c": {}}, **{"x-order-properties": ["c", "x", "c", 3, "a"]})
    assert facts["order"] == ["c", "a", "b"]
    assert "order" not in top(properties={"b": {}, "a": {}}, **{"x-order-properties": ["a", "b"]})


@pytest.mark.parametrize("kind", [None, 3, "Object", []])
def test_an_input_of_an_odd_type_is_an_object(kind: object) -> None:
    assert facts_of({"type": kind, "properties": {}}) == {"type": "object"}


@pytest.mark.parametrize("schema", [None, [], "object", {"type": "array"}, {"type": "string", "properties": {}}])
def test_a_schema_that_describes_no_object_is_no_input(schema: object) -> None:
    assert facts_of(schema) is None


@pytest.mark.parametrize(
    "holder", [{}, None, {"api_schemas": None}, {"api_schemas": [None, {"type": "model_run"}]}, {"api_schemas": {}}]
)
def test_a_row_may_describe_no_input(holder: object) -> None:
    assert input_facts(row("a/b", None, api_schema=holder)) is None


def test_the_schema_of_model_run_is_preferred() -> None:
    other = {"type": "estimate", "request_schema": {"properties": {"a": {}}}}
    run = {"type": "model_run", "request_schema": {"properties": {"b": {}}}}
    assert input_facts(row("a/b", None, api_schema={"api_schemas": [other, run]})) == facts_of(run["request_schema"])
    assert input_facts(row("a/b", None, api_schema={"api_schemas": [other]})) == facts_of(other["request_schema"])


# Files


@pytest.mark.parametrize(
    "name",
    [
        *(
            "image",
            "images",
            "video",
            "audio",
            "mask",
            "mask_image",
            "end_image",
            "image_url",
            "imageUrl",
            "inputImage",
        ),
        *("reference_videos", "srt_file_url", "image_2", "image2", "first_frame", "file", "photos", "video_urls"),
    ],
)
def test_names_of_media_fields_mean_files(name: str) -> None:
    assert says_file(name, {})


@pytest.mark.parametrize(
    "name",
    ["prompt", "mask_prompt", "video_prompt", "style", "profile", "seed", "imagery", "image_size", "", "a\nimage"],
)
def test_names_of_other_fields_do_not_mean_files(name: str) -> None:
    assert not says_file(name, {})


def test_files_are_known_by_uploader_format_and_accept() -> None:
    for said in ({"x-ui-component": "uploaders"}, {"x-ui-component": "upload"}, {"x-accept": "*"}, {"format": "uri"}):
        assert field({"type": "string", **said}).get("file") is True
    assert field({"type": "array", "items": {"type": "string", "format": "uri"}})["items"]["file"] is True
    assert field({"type": "array", "items": {"type": "string"}, "x-ui-component": "uploaders"})["items"]["file"] is True
    assert is_file(field({"anyOf": [{"type": "string"}, {"type": "null"}], "x-accept": "image/*"}))
    assert not is_file(field({"type": "string", "format": "color", "x-ui-component": 3}))


@pytest.mark.parametrize("schema", [{"type": "integer"}, {"type": "boolean"}, {"type": "string", "enum": ["a"]}, {}])
def test_only_a_text_field_can_hold_a_file(schema: dict[str, Any]) -> None:
    assert not is_file(top(properties={"image": schema})["properties"]["image"])


def test_a_path_inside_a_list_of_objects_is_no_file() -> None:
    facts = facts_of(PAINT)
    assert facts is not None
    assert {name for name, each in facts["properties"].items() if is_file(each)} == {"image", "images"}


def test_descriptions_can_be_left_out_and_a_field_of_that_name_stays() -> None:
    inner = {
        "type": "object",
        "properties": {"description": {"type": "string", "description": "d"}},
        "description": "d",
    }
    facts = top(properties={"a": {"type": "array", "items": inner}}, allOf=[inner, inner], description="d")
    text = json.dumps(without_words(facts))
    assert text.count('"description"') == json.dumps(facts).count('"description": {')
    assert '"description": "' not in text
