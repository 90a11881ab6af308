"""What holds for every schema of the spec and every body that conforms to it."""

from __future__ import annotations

import re
from copy import deepcopy
from functools import cache
from importlib import import_module
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from tests.contract.document import SCHEMAS
from tests.contract.reading import assert_read_as, assert_same, attribute_name
from tests.contract.samples import bodies, sample, smallest
from wavespeed_api import models
from wavespeed_api.types import Unset

# A form with a file is not JSON; test_generated.py compares it with the bytes on the wire.
NAMES = [name for name, schema in SCHEMAS.items() if schema["type"] == "object" and name != "BinaryUpload"]
each_schema = pytest.mark.parametrize("name", NAMES)
each_open_schema = pytest.mark.parametrize("name", [name for name in NAMES if SCHEMAS[name]["additionalProperties"]])


def assert_round_trip(name: str, body: dict[str, Any]) -> None:
    given_body = deepcopy(body)
    parsed = getattr(models, name).from_dict(body)
    assert body == given_body, "reading a body changed it"
    assert_read_as(parsed, body, SCHEMAS[name])
    assert_same(parsed.to_dict(), body)


@cache
def validator(name: str) -> Any:
    document = {"$ref": f"#/components/schemas/{name}", "components": {"schemas": SCHEMAS}}
    return Draft202012Validator(document, format_checker=Draft202012Validator.FORMAT_CHECKER)


@each_schema
def test_every_field_is_kept_in_every_form(name: str) -> None:
    for body in bodies(name):
        validator(name).validate(body)
        assert_round_trip(name, body)
        validator(name).validate(getattr(models, name).from_dict(body).to_dict())


@each_schema
def test_required_fields_alone_make_a_conforming_body(name: str) -> None:
    model, body = getattr(models, name), smallest(name)
    read = model.from_dict(body)
    required = {attribute_name(model, key): getattr(read, attribute_name(model, key)) for key in body}
    written = model(**required).to_dict()
    assert_same(written, body)
    validator(name).validate(written)


@each_schema
def test_a_missing_required_field_is_noticed(name: str) -> None:
    body = sample(SCHEMAS[name], name)
    for key in SCHEMAS[name].get("required", ()):
        with pytest.raises(KeyError, match=f"^'{key}'$"):
            getattr(models, name).from_dict({other: value for other, value in body.items() if other != key})


@each_schema
def test_defaults_are_those_of_the_spec(name: str) -> None:
    model, properties = getattr(models, name), SCHEMAS[name].get("properties", {})
    given_values = {
        attribute_name(model, key): value for key, value in smallest(name).items() if "default" not in properties[key]
    }
    made = model(**given_values)
    for key, field in properties.items():
        value = getattr(made, attribute_name(model, key))
        if "default" in field:
            assert value == field["default"]
        elif key not in SCHEMAS[name].get("required", ()):
            assert isinstance(value, Unset)
            assert not value


@each_open_schema
def test_additional_keys_are_read_and_written_like_a_mapping(name: str) -> None:
    body = smallest(name)
    model = getattr(models, name).from_dict(body)
    model["first"], model["second"] = 1, {"of": "two"}
    assert (model["first"], model["second"]) == (1, {"of": "two"})
    assert "first" in model
    assert "third" not in model
    assert model.additional_keys[-2:] == ["first", "second"]
    del model["first"]
    assert "first" not in model
    assert_same(model.to_dict(), {**smallest(name), "second": {"of": "two"}})
    assert body == smallest(name), "writing to what was read changed the body"


@each_open_schema
def test_a_named_field_wins_over_an_additional_key_of_the_same_name(name: str) -> None:
    body = sample(SCHEMAS[name], name)
    model = getattr(models, name).from_dict(body)
    for key in SCHEMAS[name].get("properties", {}):
        model[key] = "another value"
    assert_same(model.to_dict(), body)


ODD_VALUES = ["odd", 17, 0.5, True, ["odd"], {"odd": 1}, [{"odd": [1]}], [None]]


@pytest.mark.parametrize("key", [key for key in SCHEMAS["Prediction"]["properties"] if key != "id"])
def test_an_odd_field_never_loses_a_task(key: str) -> None:
    for value in ODD_VALUES:
        body = {"id": "abc", key: value}
        assert models.Prediction.from_dict(body).to_dict() == body


def enumerations() -> dict[str, list[str]]:
    """Return the sets of words, by the name of the generated module that holds each."""
    found = {snake(name): schema["enum"] for name, schema in SCHEMAS.items() if "enum" in schema}
    for name, schema in SCHEMAS.items():
        for key, field in schema.get("properties", {}).items():
            if "enum" in field:
                found[f"{snake(name)}_{key}"] = field["enum"]
    return found


def snake(name: str) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower()


@pytest.mark.parametrize(("name", "words"), enumerations().items(), ids=enumerations())
def test_enumerated_words_are_those_of_the_spec(name: str, words: list[str]) -> None:
    module = import_module(f"wavespeed_api.models.{name}")
    check = getattr(module, f"check_{name}")
    assert getattr(module, f"{name.upper()}_VALUES") == set(words)
    assert [check(word) for word in words] == words
    with pytest.raises(TypeError, match="'no such word'"):
        check("no such word")


@cache
def strategies() -> Any:
    """Return the schemas, each as the body of a request: there Schemathesis has strategies for them."""
    paths = {
        f"/{name}": {
            "post": {
                "requestBody": {"required": True, "content": {"application/json": {"schema": {"$ref": reference}}}},
                "responses": {"200": {"description": "None is ever sent."}},
            }
        }
        for name, reference in ((name, f"#/components/schemas/{name}") for name in NAMES)
    }
    document = {"openapi": "3.1.0", "info": {"title": "Bodies", "version": "1"}, "paths": paths}
    return schemathesis.openapi.from_dict({**document, "components": {"schemas": SCHEMAS}})


@cache
def conforming(name: str) -> st.SearchStrategy[Any]:
    mode = schemathesis.GenerationMode.POSITIVE
    return strategies()[f"/{name}"]["POST"].as_strategy(generation_mode=mode).map(lambda case: case.body)


@each_schema
@settings(max_examples=25, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_a_conforming_body_comes_back_without_loss(name: str, data: st.DataObject) -> None:
    assert_round_trip(name, data.draw(conforming(name)))
