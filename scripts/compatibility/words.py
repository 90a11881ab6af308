"""What a document says to people only, by place: descriptions, summaries, examples, extensions."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from .change import WORDS as MERE_WORDS
from .change import Flow, Use
from .document import Document, Json, mapping, sequence
from .ledger import Ledger, canonical
from .operation import METHODS
from .shape import WORDS

if TYPE_CHECKING:
    from collections.abc import Iterator

# Whose keys are names, not keywords.
NAMED = {
    *("properties", "patternProperties", "$defs", "dependentSchemas", "schemas", "responses", "parameters", "headers"),
    *("requestBodies", "securitySchemes", "links", "callbacks", "content", "webhooks", "variables", "pathItems"),
}
# What is a value, not a description of one.
VALUES = {"default", "enum", "const", "security", "required", "scopes", "mapping"}
# Steps that a person does not need to find the place.
UNSAID = {"components", "properties", "schema", "content", "responses", "allOf", "anyOf", "oneOf", "paths", "info"}


def compare_words(old: Document, new: Document, ledger: Ledger) -> None:
    before, after = dict(places(old)), dict(places(new))
    for place in sorted(before.keys() & after.keys()):
        one, two = before[place], after[place]
        for word in sorted(one.keys() | two.keys()):
            if canonical(one.get(word, ())) != canonical(two.get(word, ())):
                verb = "is changed" if word in one and word in two else "is removed" if word in one else "is added"
                ledger.note(place[0], f"{word} {verb}", MERE_WORDS, {Use(Flow.SENT)})


Place = tuple[str, str]


def places(document: Document) -> Iterator[tuple[Place, Json]]:
    """The words of each place; two places may have one label, so the place's own path comes with it."""
    data = document.data
    yield ("openapi", ""), {"openapi": data["openapi"]}
    info = {f"info.{key}": value for key, value in mapping(data.get("info")).items()}
    yield ("info", ""), info
    yield ("tags", ""), {"tags": data.get("tags", [])}
    for key in data.keys() - {"paths", "info", "tags", "openapi"}:
        yield from walk({key: data[key]}, "", "")
    for path, item in data["paths"].items():
        yield from walk(mapping(item), f"paths/{path}", path)
    yield ("document", ""), words(data)


def walk(node: object, label: str, path: str) -> Iterator[tuple[Place, Json]]:
    if isinstance(node, list):
        for number, each in enumerate(sequence(cast("object", node))):
            name = mapping(each).get("name")
            named = f"{label}/{mapping(each).get('in')} {name}" if name and label.startswith("operations/") else label
            yield from walk(each, named, f"{path}/{name or number}")
        return
    schema = mapping(node)
    yield (label or "document", path), words(schema)
    for key, value in schema.items():
        if key in NAMED and isinstance(value, dict):
            holder = label if key in UNSAID and label else f"{label}/{key}"
            for name, each in mapping(cast("object", value)).items():
                step = holder if key == "content" else f"{holder}/{name}"
                yield from walk(each, step.strip("/"), f"{path}/{key}/{name}")
        elif key in METHODS and label.startswith("paths/"):
            operation = mapping(value).get("operationId", f"{key.upper()} {label.removeprefix('paths/')}")
            yield from walk(value, f"operations/{operation}", f"{path}/{key}")
        elif key not in WORDS | VALUES and not key.startswith("x-") and isinstance(value, dict | list):
            step = {"items": "/[]", "additionalProperties": "/{}", "requestBody": "/body"}.get(key, f"/{key}")
            unsaid = key in UNSAID or key == "parameters" or key in METHODS
            yield from walk(cast("object", value), (label if unsaid else f"{label}{step}").strip("/"), f"{path}/{key}")


def words(node: Json) -> Json:
    extra = {"bearerFormat", "termsOfService"}
    return {key: value for key, value in node.items() if key in WORDS | extra or key.startswith("x-")}
