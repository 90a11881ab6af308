"""Check that generated code has read a whole body, and has written it again without loss."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

import attrs

from tests.contract.document import SCHEMAS
from tests.contract.samples import form_of
from wavespeed_api import models
from wavespeed_api.types import Unset

NAMES = {id(schema): name for name, schema in SCHEMAS.items()}


def assert_read_as(value: Any, body: Any, schema: dict[str, Any]) -> None:
    """Check that each part of a conforming body is an object of its model, a moment, or the very value.

    No field that the schema names is left among the additional properties, in no model at any depth.
    """
    form = form_of(body, schema)
    if form["type"] == "object":
        assert_object_read_as(value, body, form)
    elif form["type"] == "array":
        assert type(value) is list
        assert len(value) == len(body)
        for item, given in zip(value, body, strict=True):
            assert_read_as(item, given, form["items"])
    elif form.get("format") == "date-time" and moment(body):
        assert value == moment(body)
    else:
        assert value == body
        assert type(value) is type(body)


def assert_object_read_as(value: Any, body: dict[str, Any], schema: dict[str, Any]) -> None:
    assert type(value) is getattr(models, NAMES[id(schema)])
    named = schema.get("properties", {})
    for key, field in named.items():
        attribute = getattr(value, attribute_name(type(value), key))
        if key in body:
            assert_read_as(attribute, body[key], field)
        else:
            assert isinstance(attribute, Unset)
    if schema["additionalProperties"]:
        assert value.additional_properties == {key: given for key, given in body.items() if key not in named}


def attribute_name(model: type[Any], key: str) -> str:
    """Return the attribute for a key: in snake case, with an underscore if the word is a keyword of Python."""
    name = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", key).lower()
    return name if name in attrs.fields_dict(model) else f"{name}_"


def assert_same(written: Any, given: Any) -> None:
    """Equal as JSON, but that a timestamp may be written in another way: its microseconds are kept, and its zone."""
    if isinstance(given, dict):
        assert isinstance(written, dict)
        assert set(written) == set(given)
        for key, value in given.items():
            assert_same(written[key], value)
    elif isinstance(given, list):
        assert isinstance(written, list)
        assert len(written) == len(given)
        for one, other in zip(written, given, strict=True):
            assert_same(one, other)
    elif written != given or type(written) is not type(given):
        assert moment(written) == moment(given) is not None, f"{given!r} became {written!r}"


def moment(value: Any) -> datetime | None:
    try:
        return datetime.fromisoformat(value)
    except (TypeError, ValueError):
        return None
