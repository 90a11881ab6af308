"""The spec as people read it: everything described, nothing unused, no answer stricter than it may be."""

from collections.abc import Iterator
from typing import Any

import pytest

from wavespeed_client import AsyncWaveSpeed, WaveSpeed


def nodes(node: Any, path: str = "#") -> Iterator[tuple[str, dict[str, Any]]]:
    """Every mapping of the document, with the way to it."""
    if isinstance(node, dict):
        yield path, node
        for key, value in node.items():
            if key not in ("example", "examples"):
                yield from nodes(value, f"{path}/{key}")
    elif isinstance(node, list):
        for number, value in enumerate(node):
            yield from nodes(value, f"{path}/{number}")


def test_every_schema_and_property_is_described(spec: dict[str, Any]) -> None:
    for name, schema in spec["components"]["schemas"].items():
        assert schema.get("description"), name
        for key, value in schema.get("properties", {}).items():
            assert value.get("description") or "$ref" in value, f"{name}.{key}"


def test_every_parameter_response_and_operation_is_described(spec: dict[str, Any]) -> None:
    for name, parameter in spec["components"]["parameters"].items():
        assert parameter["schema"].get("description"), name
        assert "example" in parameter, name
        assert "pattern" in parameter["schema"] or parameter["in"] != "path", name
    for name, response in spec["components"]["responses"].items():
        assert response["description"], name
    for path, item in spec["paths"].items():
        for operation in item.values():
            assert operation["summary"], path
            assert operation["description"], path


def test_every_operation_has_the_documented_errors_and_a_catch_all(spec: dict[str, Any]) -> None:
    for item in spec["paths"].values():
        for operation in item.values():
            statuses = set(operation["responses"])
            assert {"200", "400", "401", "403", "404", "429", "500", "502", "503", "504", "default"} <= statuses
            carries_much = operation["operationId"].startswith(("submit", "create_upload", "upload"))
            assert carries_much == ("413" in statuses)


def test_every_component_is_used(spec: dict[str, Any]) -> None:
    used = {node["$ref"] for _, node in nodes(spec) if "$ref" in node}
    for kind, members in spec["components"].items():
        for name in members if kind != "securitySchemes" else ():
            assert f"#/components/{kind}/{name}" in used


def test_security_stands_at_document_level_only(spec: dict[str, Any]) -> None:
    assert spec["security"] == [{"apiKey": []}]
    assert all("security" not in operation for item in spec["paths"].values() for operation in item.values())


@pytest.mark.parametrize(
    ("name", "required"),
    [
        ("Prediction", ["id"]),
        ("PredictionEnvelope", ["data"]),
        ("PredictionPage", ["items"]),
        ("PredictionPageEnvelope", ["data"]),
        ("PredictionTimings", []),
        ("PredictionUrls", []),
        ("ErrorEnvelope", []),
    ],
)
def test_answers_require_little_and_allow_null(spec: dict[str, Any], name: str, required: list[str]) -> None:
    schema = spec["components"]["schemas"][name]
    assert schema.get("required", []) == required
    assert schema["additionalProperties"] is True
    for key, value in schema["properties"].items():
        members = [value, *value.get("anyOf", [])]
        assert key in ("id", "data") or any("null" in member.get("type", ()) for member in members), f"{name}.{key}"


def test_every_verb_of_the_spec_is_one_of_both_clients(spec: dict[str, Any]) -> None:
    for item in spec["paths"].values():
        for operation in item.values():
            verb = operation.get("x-verb")
            assert verb is None or (callable(getattr(WaveSpeed, verb)) and callable(getattr(AsyncWaveSpeed, verb)))
            assert verb or operation["operationId"] == "upload_binary"
