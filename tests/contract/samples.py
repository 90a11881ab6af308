"""Bodies made from the document's schemas: every field in every allowed form, each with a unique value."""

from __future__ import annotations

import re
from collections.abc import Iterator
from types import NoneType
from typing import Any
from zlib import crc32

from tests.contract.document import SCHEMAS, resolved

TYPES = {
    "object": dict,
    "array": list,
    "string": str,
    "integer": (int, float),  # 1.0 is an integer to JSON Schema
    "number": (int, float),
    "boolean": bool,
    "null": NoneType,
}


def forms(schema: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the alternatives of a schema, each of one type, and of one word where the words are listed."""
    schema = resolved(schema)
    if "anyOf" in schema:
        return [form for member in schema["anyOf"] for form in forms(member)]
    if isinstance(schema["type"], list):
        return [{**schema, "type": name} for name in schema["type"]]
    if "enum" in schema:
        return [{**schema, "enum": [word]} for word in schema["enum"]]
    return [schema]


def form_of(body: Any, schema: dict[str, Any]) -> dict[str, Any]:
    """Return the alternative that a conforming body takes."""
    return next(form for form in forms(schema) if isinstance(body, TYPES[form["type"]]))


def sample(form: dict[str, Any], name: str) -> Any:
    """Return a value with all of its parts; the name makes it differ from the values of other fields."""
    number = 1 + crc32(name.encode()) % 90
    match form:
        case {"const": value}:
            return value
        case {"enum": [word]}:
            return word
        case {"type": "object"}:
            fields = {key: sample(forms(field)[0], key) for key, field in form.get("properties", {}).items()}
            return further(form) | fields
        case {"type": "array", "items": items}:
            return [sample(forms(items)[0], f"{name}_{ending}") for ending in ("first", "last")]
        case {"type": "string", "format": "date-time"}:
            return f"2026-01-02T03:04:05.0000{number:02}+00:00"
        case {"type": "string", "format": "uri"}:
            return f"https://example.com/{name}"
        case {"type": "string"}:
            return name if re.search(form.get("pattern", ""), name) else str(number)
        case {"type": "integer"}:
            return number
        case {"type": "number"}:
            return number + 0.5
        case _:
            return {"boolean": True, "null": None}[form["type"]]


def further(form: dict[str, Any]) -> dict[str, Any]:
    """Return a key that the schema does not name, if it allows such keys."""
    taken = form["additionalProperties"]
    if isinstance(taken, dict):
        return {"a further key": "text"}
    return {"a further key": {"of": ["any", None, 1]}} if taken else {}


def bodies(name: str) -> Iterator[dict[str, Any]]:
    """Yield a body with every field; then each field in each of its other forms, and each optional one left out."""
    schema = SCHEMAS[name]
    full = sample(schema, name)
    yield full
    for key, field in schema.get("properties", {}).items():
        for form in forms(field)[1:]:
            yield {**full, key: sample(form, key)}
        if key not in schema.get("required", ()):
            yield {other: value for other, value in full.items() if other != key}


def smallest(name: str) -> dict[str, Any]:
    """Return a body with only the required fields."""
    return {
        key: value for key, value in sample(SCHEMAS[name], name).items() if key in SCHEMAS[name].get("required", ())
    }
